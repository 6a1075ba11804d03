"""Who is told when something is wrong: alerts, the one check from outside, the dashboard, the budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi
import pulumi_gcp as gcp

from infra.components import alarms, names
from infra.components.alarms import ALARMS, Alarm
from infra.components.dashboard import dashboard
from infra.components.stage import Stage
from shared.topology import Topology

FIVE_MINUTES, QUARTER_HOUR, HALF_HOUR = "300s", "900s", "1800s"
ERRORS_IN_FIVE_MINUTES = 5  # a function answers 500 to be asked again, so a few belong to ordinary life
SHARES = ((0.5, "CURRENT_SPEND"), (0.9, "CURRENT_SPEND"), (1.0, "CURRENT_SPEND"), (1.0, "FORECASTED_SPEND"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchArgs:
    """What the watch is built from."""

    stage: Stage


class Watch(pulumi.ComponentResource):
    """Tells the owner by mail. Internal services cannot be reached from outside, so only the sign-in is tried."""

    def __init__(self, name: str, args: WatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("strategy:index:Watch", name, {}, opts)
        stage = args.stage
        self._stage = stage
        self.channels = [
            gcp.monitoring.NotificationChannel(
                f"mail-{number}", type="email", display_name=f"mail {number}", labels={"email_address": address},
                opts=stage.child(self),
            )
            for number, address in enumerate(stage.deployment.alert_emails, 1)
        ]  # fmt: skip
        for alarm in ALARMS:
            self._lines(alarm)
        self._delivery()
        self._silence()
        for function in stage.topology.functions:
            if function.public and stage.deployment.owner:
                self._outside(function.name, urlsplit(stage.address(function)).netloc)
        gcp.monitoring.Dashboard("dashboard", dashboard_json=dashboard(stage.topology), opts=stage.child(self))
        if stage.deployment.billing_account:
            self._budget()
        self.register_outputs({"channels": len(self.channels)})

    def _lines(self, alarm: Alarm) -> None:
        match = gcp.monitoring.AlertPolicyConditionConditionMatchedLogArgs(filter=alarms.lines(alarm))
        self._policy(
            alarm.name, alarm.title, alarm.severity, alarm.told,
            [gcp.monitoring.AlertPolicyConditionArgs(display_name=alarm.title, condition_matched_log=match)],
            at_most_every=f"{alarm.every_s}s",
        )  # fmt: skip

    def _delivery(self) -> None:
        """Watch what Google itself sees of failures: answers of 500, and messages that it gave up.

        Those that were given up are counted as it happens: how many are kept would ring once, and then be silent until
        somebody takes them away.
        """
        conditions = [
            _more_than(ERRORS_IN_FIVE_MINUTES, alarms.SERVICE_ERRORS, "ALIGN_DELTA", "functions fail"),
            _more_than(0, alarms.GIVEN_UP, "ALIGN_DELTA", "messages were given up"),
        ]
        told = "Functions answer 500 again and again, or messages could not be delivered and Pub/Sub gave up."
        self._policy("delivery", "Messages do not get through", alarms.ERROR, told, conditions)

    def _silence(self) -> None:
        """Watch for the calls that must come each minute: who is never called writes no line about it."""
        query = gcp.monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs(
            query=alarms.silence([names.dashed(one) for one in each_minute(self._stage.topology)]),
            duration=FIVE_MINUTES,
            evaluation_interval="60s",
            disable_metric_validation=True,
        )
        title = "The market is not looked at"
        condition = gcp.monitoring.AlertPolicyConditionArgs(
            display_name=title, condition_prometheus_query_language=query
        )
        told = (
            "A function that the clock calls each minute of the session took no call for half an hour: it was not"
            " called, or every call was refused or failed. Only stops that are at the broker still sell."
        )
        self._policy("silence", title, alarms.CRITICAL, told, [condition])

    def _outside(self, function: str, host: str) -> None:
        check = gcp.monitoring.UptimeCheckConfig(
            f"{function}-from-outside",
            display_name=f"{names.dashed(function)} answers",
            period=QUARTER_HOUR,
            timeout="30s",
            monitored_resource=gcp.monitoring.UptimeCheckConfigMonitoredResourceArgs(
                type="uptime_url", labels={"host": host, "project_id": self._stage.deployment.project}
            ),
            http_check=gcp.monitoring.UptimeCheckConfigHttpCheckArgs(
                path="/health", port=443, use_ssl=True, validate_ssl=True
            ),
            opts=self._stage.child(self),
        )
        condition = gcp.monitoring.AlertPolicyConditionArgs(
            display_name="the sign-in page does not answer",
            condition_threshold=gcp.monitoring.AlertPolicyConditionConditionThresholdArgs(
                filter=alarms.SIGN_IN_DOWN.format(host=host),
                comparison="COMPARISON_GT",
                threshold_value=1,
                duration=HALF_HOUR,
                aggregations=[
                    gcp.monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                        alignment_period=QUARTER_HOUR,
                        per_series_aligner="ALIGN_NEXT_OLDER",
                        cross_series_reducer="REDUCE_COUNT_FALSE",
                        group_by_fields=["resource.label.host"],
                    )
                ],
            ),
        )
        told = "The sign-in page did not answer from more than one place of the world."
        self._policy(f"{function}-down", "Nobody can sign in", alarms.ERROR, told, [condition], after=check)

    def _policy(
        self,
        name: str,
        title: str,
        severity: str,
        told: str,
        conditions: Sequence[gcp.monitoring.AlertPolicyConditionArgs],
        *,
        at_most_every: str = "",
        after: pulumi.Resource | None = None,
    ) -> None:
        rate = None
        if at_most_every:
            rate = gcp.monitoring.AlertPolicyAlertStrategyNotificationRateLimitArgs(period=at_most_every)
        gcp.monitoring.AlertPolicy(
            name,
            display_name=title,
            severity=severity,
            combiner="OR",
            conditions=list(conditions),
            notification_channels=[channel.id for channel in self.channels],
            alert_strategy=gcp.monitoring.AlertPolicyAlertStrategyArgs(
                auto_close=HALF_HOUR, notification_rate_limit=rate
            ),
            documentation=gcp.monitoring.AlertPolicyDocumentationArgs(content=told, mime_type="text/markdown"),
            opts=self._stage.child(self, *([after] if after else [])),
        )

    def _budget(self) -> None:
        chosen = self._stage.deployment
        gcp.billing.Budget(
            "budget",
            billing_account=chosen.billing_account,
            display_name=f"{chosen.project}: trading system",
            amount=gcp.billing.BudgetAmountArgs(
                # Without a currency it is the billing account's own; another one is refused.
                specified_amount=gcp.billing.BudgetAmountSpecifiedAmountArgs(units=str(chosen.budget))
            ),
            budget_filter=gcp.billing.BudgetBudgetFilterArgs(projects=[f"projects/{chosen.project_number}"]),
            threshold_rules=[
                gcp.billing.BudgetThresholdRuleArgs(threshold_percent=share, spend_basis=basis)
                for share, basis in SHARES
            ],
            all_updates_rule=gcp.billing.BudgetAllUpdatesRuleArgs(
                monitoring_notification_channels=[channel.id for channel in self.channels]
            ) if self.channels else None,
            opts=self._stage.child(self),
        )  # fmt: skip


def each_minute(topology: Topology) -> tuple[str, ...]:
    """Name the functions that the clock calls each minute of the session."""
    topics = {schedule.topic for schedule in topology.schedules if schedule.cron.startswith("* ")}
    return tuple(
        one.name for one in topology.functions if any(received.topic in topics for received in one.subscriptions)
    )


def _more_than(limit: int, metric: str, aligner: str, shown: str) -> gcp.monitoring.AlertPolicyConditionArgs:
    return gcp.monitoring.AlertPolicyConditionArgs(
        display_name=shown,
        condition_threshold=gcp.monitoring.AlertPolicyConditionConditionThresholdArgs(
            filter=metric,
            comparison="COMPARISON_GT",
            threshold_value=limit,
            duration="0s",
            aggregations=[
                gcp.monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                    alignment_period=FIVE_MINUTES, per_series_aligner=aligner, cross_series_reducer="REDUCE_SUM"
                )
            ],
        ),
    )
