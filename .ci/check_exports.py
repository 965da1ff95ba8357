#!/usr/bin/env python3
"""Checks what `oneloop export` writes against the definitions of others: the protobuf of Perfetto, as the package
`perfetto` (PyPI) has it, and the fields that the Trace Event Format asks for.

    python3 .ci/check_exports.py FILE.perfetto-trace FILE.json
"""
import json
import sys
from collections import defaultdict


def perfetto(path):
    from google.protobuf.unknown_fields import UnknownFieldSet
    from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb

    trace = pb.Trace()
    trace.ParseFromString(open(path, "rb").read())
    tracks, depth, last, flows = {}, defaultdict(int), defaultdict(int), defaultdict(int)
    slices = 0
    for packet in trace.packet:
        assert len(UnknownFieldSet(packet)) == 0, f"a field that no packet has: {packet}"
        assert packet.trusted_packet_sequence_id, "events need a sequence"
        if packet.HasField("track_descriptor"):
            track = packet.track_descriptor
            assert track.uuid not in tracks, f"track {track.uuid} is described twice"
            assert not track.parent_uuid or track.parent_uuid in tracks, f"the parent of track {track.uuid} comes later"
            tracks[track.uuid] = track
        if packet.HasField("track_event"):
            event = packet.track_event
            track, kind = event.track_uuid, event.type
            assert track in tracks, f"nothing describes track {track}"
            assert packet.timestamp >= last[track], f"track {track} goes back in time at {packet.timestamp}"
            last[track] = packet.timestamp
            assert len(UnknownFieldSet(event)) == 0, f"a field that no event has: {event}"
            if kind == pb.TrackEvent.TYPE_SLICE_BEGIN:
                assert event.name or event.name_iid, "a slice without a name"
                depth[track] += 1
                slices += 1
            elif kind == pb.TrackEvent.TYPE_SLICE_END:
                depth[track] -= 1
                assert depth[track] >= 0, f"track {track} ends a slice that has not begun"
            elif kind == pb.TrackEvent.TYPE_COUNTER:
                assert tracks[track].HasField("counter"), f"track {track} is no counter"
            else:
                assert kind == pb.TrackEvent.TYPE_INSTANT, f"an event of type {kind}"
            for flow in list(event.flow_ids) + list(event.terminating_flow_ids):
                flows[flow] += 1
    still = [tracks[track].name for track, left in depth.items() if left]
    assert not still, f"slices that do not end, on {still}"
    assert slices, "nothing is drawn"
    print(f"{path}: {len(trace.packet)} packets, {len(tracks)} tracks, {slices} slices, {len(flows)} flows")


def chrome(path):
    trace = json.load(open(path))
    events = trace["traceEvents"] if isinstance(trace, dict) else trace
    stacks, opened, flows = defaultdict(list), defaultdict(int), defaultdict(list)
    for event in events:
        for field in ("ph", "pid"):
            assert field in event, f"{field} is missing in {event}"
        phase = event["ph"]
        if phase == "M":
            assert event["name"] in ("process_name", "thread_name", "thread_sort_index", "process_sort_index"), event
            assert "args" in event, event
            continue
        assert isinstance(event.get("ts"), (int, float)) and event["ts"] >= 0, f"ts is missing in {event}"
        assert event.get("name"), f"name is missing in {event}"
        if phase == "X":
            assert event["dur"] >= 0 and "tid" in event, event
            # In whole nanoseconds: halves of a microsecond do not add up exactly.
            begin, lasts = round(event["ts"] * 1000), round(event["dur"] * 1000)
            stacks[event["pid"], event["tid"]].append((begin, begin + lasts))
        elif phase in "ben":
            key = event["cat"], event.get("id", event.get("id2")), event["name"] if phase == "n" else None
            opened[key[:2]] += {"b": 1, "e": -1, "n": 0}[phase]
            assert opened[key[:2]] >= 0, f"ends without a beginning: {event}"
        elif phase in "stf":
            assert "tid" in event and "id" in event and "cat" in event, event
            flows[event["cat"], event["name"], event["id"]].append(phase)
        elif phase in "iI":
            assert event.get("s", "t") in "gpt", event
        elif phase == "C":
            assert event.get("args"), event
        else:
            raise AssertionError(f"an unknown phase: {event}")
    for (pid, tid), slices in stacks.items():
        slices.sort(key=lambda slice: (slice[0], -slice[1]))
        stack = []
        for begin, end in slices:
            while stack and stack[-1] <= begin:
                stack.pop()
            assert not stack or end <= stack[-1], f"slices of thread {tid} overlap at {begin}"
            stack.append(end)
    assert not any(opened.values()), "asynchronous slices that do not end"
    assert all(ends == ["s", "f"] for ends in flows.values()), "an arrow has one beginning and one end"
    print(f"{path}: {len(events)} events, {len(flows)} arrows")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    perfetto(sys.argv[1])
    chrome(sys.argv[2])
