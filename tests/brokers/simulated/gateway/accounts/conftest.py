from tests.brokers.simulated.gateway.runtime.conftest import raw

__all__ = ["raw"]
