"""The areas of the world, in the order in which they are made: an area may use what those before it made."""

from carelab.synth.alerts.area import AREA as ALERTS
from carelab.synth.areas import Area
from carelab.synth.authorization.area import AREA as AUTHORIZATION
from carelab.synth.faults.area import AREA as FAULTS
from carelab.synth.interfaces.area import AREA as INTERFACES
from carelab.synth.messages.area import AREA as MESSAGES
from carelab.synth.monitoring.area import AREA as MONITORING
from carelab.synth.readmission.area import AREA as READMISSION
from carelab.synth.scheduling.area import AREA as SCHEDULING
from carelab.synth.security.area import AREA as SECURITY

AREAS: tuple[Area, ...] = (
    SCHEDULING, READMISSION, AUTHORIZATION, MESSAGES, ALERTS, MONITORING, SECURITY, INTERFACES, FAULTS,
)  # fmt: skip
