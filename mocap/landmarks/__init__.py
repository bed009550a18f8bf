"""Where the landmarks of each keypoint layout sit on the body: data, one file a layout."""
