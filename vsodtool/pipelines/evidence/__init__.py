"""What is recorded about hidden masks, to train the learned densifier."""
