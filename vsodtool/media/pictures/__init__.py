"""Pictures for people: sheets of images, plots of scores."""
