"""Measured sparsity as the registry reports it; what counts as prunable is decided in `models.training.masks`."""

from torch import nn

from backend.registry.imported import ImportedLayer
from models.training.masks import find_prunable_weights, measure_sparsity


def describe_layers(network: nn.Module) -> list[ImportedLayer]:
    """Give shape, weights, zeros and sparsity of every prunable tensor, in the order of the modules."""
    weights = find_prunable_weights(network)
    return [
        ImportedLayer(
            name=layer.name,
            shape=list(weights[layer.name].shape),
            weights=layer.size,
            zeros=layer.zeros,
            sparsity=layer.share,
        )
        for layer in measure_sparsity(network).layers
    ]
