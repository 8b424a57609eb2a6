// Written by Tests/Oracles/compat_order.py; do not edit.

/// The orders that CPython 3.11.7 kept.
enum CompatOracle {
    static let traces: [String: [String]] = [
        "nested_soon_2": ["a", "b", "|", "a1", "a2", "|", "a3"],
        "soon_then_descriptors_then_timers_3": [
            "S made", "soon", "S data x", "timer", "soon", "S data y", "from timer",
        ],
        "later_zero_and_less_24": ["soon", "negative", "zero"],
        "connect_48": ["S factory", "C factory", "|", "S made", "C made", "|", "soon from made", "connected"],
        "two_connects_53": [
            "S0 factory", "S1 factory", "S2 factory", "|", "S0 made", "S1 made", "S2 made", "|", "S0 eof", "S0 lost",
            "S1 eof", "S1 lost", "S2 eof", "S2 lost",
        ],
        "data_before_made_49": [
            "S factory", "|", "S made", "|", "soon from made", "S data hello", "|", "S eof", "S lost",
        ],
        "adopt_63": ["before", "S made", "|", "soon from made", "adopted", "S data x"],
        "close_94": ["S made", "closed", "|", "before", "S lost", "after"],
        "close_in_made_94": ["S made", "|", "S lost", "soon after close", "adopted"],
        "close_in_data_94": ["S made", "|", "S data x", "|", "soon before close", "S lost", "soon after close"],
        "close_flushes_94": ["S made", "closed", "S lost", "received 1048576", "soon from lost"],
        "write_while_closing_83": ["S made", "S lost", "received 1049576"],
        "abort_95": ["S made", "size 0", "|", "before", "S lost", "after"],
        "eof_72": ["S made", "|", "S data x", "|", "S eof", "|", "soon from eof", "S lost"],
        "throw_in_data_66": [
            "S made", "|", "S data x", "handler Fatal error: protocol", "|", "soon from data", "S lost ValueError",
        ],
        "throw_in_made_64": ["S made", "handler", "|", "adopted", "|", "S data x"],
        "pause_in_write_87": ["S made", "|", "S data x", "S pause", "written", "|", "S resume", "received 1048576"],
        "threadsafe_18": ["a", "b", "c", "d"],
        "threadsafe_from_a_thread_18": ["a", "b", "c"],
        "close_after_threadsafe_18": ["S made", "|", "posted", "S lost", "after"],
        "stop_7": ["stop", "same turn", "stopped", "queued while stopping"],
        "stop_before_run_8": ["a", "stopped", "b"],
        "until_complete_generations_9": [
            "queued before", "main", "generation 1", "returned", "generation 2", "generation 3", "generation 4",
            "returned",
        ],
        "until_complete_stopped_10": ["Event loop stopped before Future completed."],
        "tasks_resume_behind_what_is_queued_28": ["a", "|", "slept", "|", "b", "|", "slept again"],
        "datagram_made_107": ["D factory", "|", "D made", "|", "soon from made", "opened"],
        "one_datagram_a_turn_107": ["D a", "|", "soon from a", "D b", "|", "soon from b", "D c", "|", "soon from c"],
        "create_server_takes_a_turn_52": ["before", "|", "listening"],
        "echo_exchange_3": [
            "S made", "C made", "writing", "|", "S data ping", "|", "soon from S", "C data pong", "|", "C lost",
            "soon from C", "|", "S eof", "|", "S lost",
        ],
    ]
}
