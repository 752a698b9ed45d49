"""Networks that checkpoints are loaded into. `rows` and `normalizations` are data without torch, `builders` builds."""
