"""Steps of filters, as an operator may have them."""

from openedx_filters import PipelineStep
from openedx_filters.learning.filters import CertificateCreationRequested


class NoCertificates(PipelineStep):
    """Forbids every certificate."""

    def run_filter(self, *_args, **_kwargs):
        raise CertificateCreationRequested.PreventCertificateCreation("not here")
