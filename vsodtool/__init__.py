"""vsodtool: from sparse masks to dense labels and a trained detector, for video salient object detection.

Method: Yan et al., "Semi-Supervised Video Salient Object Detection Using Pseudo-Labels", ICCV 2019.
Importing this package imports neither torch nor OpenCV.
"""

__version__ = "0.1.0"
