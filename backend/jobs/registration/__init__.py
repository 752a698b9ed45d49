"""From a file or a finished pruning to a checkpoint in the store."""
