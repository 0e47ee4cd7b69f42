"""The learned densifier: network over recorded evidence and a memory of labels."""
