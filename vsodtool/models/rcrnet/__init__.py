"""RCRNet and RCRNet+NER, their parts, losses and dropout."""
