"""One archive with all images and charts of a platform, for a site without network: made, and loaded there."""
