"""What the pages that look at samples of a pair share: the cut, the sliders, the walk and the notices."""
