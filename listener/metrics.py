"""Everything that the program counts. Label values come from configuration and closed lists, never from content."""

from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

_LATENCY = (0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 24 * 3600)
HOPS = (
    "published_collected",
    "collected_committed",
    "committed_fired",
    "fired_sent",
    "published_sent",
    "sent_acknowledged",
    "fired_acknowledged",
)
_WORK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One per program; the registry is handed in, so that tests read it directly."""

    def __init__(self, registry: CollectorRegistry) -> None:  # noqa: PLR0915 - a list, one statement a metric
        self.registry = registry
        ProcessCollector(registry=registry)  # memory, CPU, open files, time of start

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"listener_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"listener_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"listener_{name}", text, labels, buckets=buckets, registry=registry)

        # sources
        self.polls = counter("polls", "Polls that ended.", "source", "result")
        self.collect_failures = counter("collect_failures", "Polls that failed.", "source", "reason")
        self.collected = counter("mentions_collected", "Mentions that a source brought, repeats too.", "source")
        self.items_refused = counter("items_refused", "Items of a source that could not be read.", "source")
        self.last_success = gauge("source_last_success_timestamp_seconds", "When a poll last succeeded.", "source")
        self.failures_in_a_row = gauge("source_failures_in_a_row", "Failed polls since the last good one.", "source")
        self.source_lag = gauge("source_lag_seconds", "Publication to collection, newest item.", "source")
        self.source_blind = gauge("source_blind", "1 while the source counts as blind.", "source")
        # pipeline
        self.stored = counter("mentions_stored", "Mentions stored for the first time.", "source")
        self.repeated = counter("mentions_repeated", "Mentions that were stored already, unchanged.", "source")
        self.revised = counter("mentions_revised", "Mentions that were stored already and have changed.", "source")
        self.dropped = counter("mentions_dropped", "Mentions that were not stored.", "reason")
        self.matched = counter("matches", "Mentions that satisfied a topic.", "topic")
        self.scored = counter("mentions_scored", "Scores given.", "topic", "label")
        self.score_failures = counter("score_failures", "Targets that the analyzer failed on.", "analyzer")
        self.helper_texts = counter("helper_texts", "Texts that the analyzer asked its process about.", "result")
        self.helper_failures = counter("helper_failures", "Crashes and hangs of the analyzer's process.")
        self.queue_depth = gauge("queue_depth", "Polled batches that wait for the pipeline.")
        self.batch_seconds = histogram("pipeline_batch_seconds", "One pipeline batch, match to commit.", _WORK)
        self.late = counter("mentions_late", "Mentions that came after a rule's allowance.", "rule", "source")
        # stories
        self.stories_open = gauge("stories_open", "Stories that a new mention may still join.")
        self.story_copies = counter("story_copies", "Mentions that joined a story that was there.")
        self.story_merges = counter("story_merges", "Stories that turned out to be one with an older one.")
        self.story_evictions = counter("story_evictions", "Texts forgotten early, for want of memory.")
        self.story_crowded = counter("story_crowded", "Texts that met more than they were compared with.")
        # rules
        self.tick_seconds = histogram("tick_seconds", "One evaluation of all rules.", _WORK)
        self.tick_lag = gauge("tick_lag_seconds", "How far the last evaluated tick is behind the clock.")
        self.rule_failures = counter("rule_failures", "Evaluations of a rule that raised.", "rule")
        self.alert_events = counter("alert_events", "Alert events.", "rule", "event", "level")
        self.shadow_alert_events = counter(
            "shadow_alert_events", "Alert events of rules on trial, told to nobody.", "rule", "event", "level"
        )
        self.alerts_open = gauge("alerts_open", "Alerts that are firing.", "level")
        self.incidents_open = gauge("incidents_open", "Incidents that are open.", "level")
        self.acts = counter("acts", "What people asked of incidents, and whether it was done.", "act", "outcome")
        # delivery
        self.outbox_pending = gauge("outbox_pending", "Notifications that wait to be sent.")
        self.outbox_oldest = gauge("outbox_oldest_seconds", "Age of the oldest notification that waits.")
        self.outbox_dead = gauge("outbox_dead", "Notifications given up in the last 24 h.")
        self.sent = counter("notifications_sent", "Notifications that a channel took.", "receiver", "channel")
        self.send_failures = counter(
            "notification_failures", "Attempts that a channel refused.", "receiver", "channel", "reason"
        )
        self.dead = counter("notifications_dead", "Notifications given up.", "receiver", "channel", "reason")
        self.chat_connected = gauge(
            "chat_connected", "1 while what people press in a chat reaches us.", "receiver", "channel"
        )
        self.charts_failed = counter("charts_failed", "Charts that could not be drawn; the messages went without.")
        self.templates_failed = counter(
            "templates_failed", "Texts of your own that failed; ours were sent instead.", "receiver", "channel", "text"
        )
        self.incomplete = counter(
            "notifications_incomplete", "Notifications that a channel took in part.", "receiver", "channel"
        )
        self.not_sent = counter("notifications_dropped", "Notifications not sent on purpose.", "reason")
        # escalation
        self.escalated = counter("escalation_calls", "Steps of escalation that called somebody.", "chain")
        self.escalations_waiting = gauge("escalations_waiting", "Chains that wait for their next step.")
        self.escalations_lost = gauge("escalations_lost", "Incidents whose chain lacked its next step, and was mended.")
        self.escalations_overdue = gauge("escalations_overdue", "Incidents with a step more than 2 min late.")
        self.passed_on = counter(
            "notifications_passed_on", "Red notifications that went to a fallback.", "receiver", "fallback"
        )
        self.breaker_open = gauge(
            "channel_breaker_open",
            "1 while a channel that keeps failing is tried every 30 s only.",
            "receiver",
            "channel",
        )
        self.hops = histogram("hop_seconds", "A mention's way, hop by hop.", _LATENCY, "hop")
        for hop in HOPS:
            self.hops.labels(hop)  # there from the start: a rate needs a first value
        self.mention_to_notification = histogram(
            "mention_to_notification_seconds",
            "From the newest mention of an alert to its first notification.",
            _LATENCY,
        )
        # the program
        self.heartbeat_at = gauge(
            "heartbeat_last_success_timestamp_seconds", "When the heartbeat's address last answered."
        )
        self.heartbeat_failures = counter("heartbeat_failures", "Heartbeats that got no good answer.", "reason")
        self.heartbeat_withheld = gauge(
            "heartbeat_withheld", "1 while no heartbeat is sent because something is stuck."
        )
        self.ready = gauge("ready", "1 while the program is ready.")
        self.reload_ok = gauge("config_last_reload_successful", "1 when the last reload took.")
        self.reload_at = gauge("config_last_reload_success_timestamp_seconds", "When a reload last took.")
        self.storage_failures = counter("storage_failures", "Transactions that failed.", "operation")
        self.database_bytes = gauge("database_bytes", "Size of the database file and its log.")
        self.build = Info("listener_build", "The version that runs.", registry=registry)

    def forget_source(self, source: str) -> None:
        """A source that left the configuration is no longer shown as it last was."""
        for gauge in (self.last_success, self.failures_in_a_row, self.source_lag, self.source_blind):
            with suppress(KeyError):
                gauge.remove(source)
