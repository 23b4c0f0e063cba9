// What really happened, as the participants saw it: every acquire with the moments of its call, its return, its grant and
// its release on one counter that all processes share, and the order that the lock promises checked against it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <map>
#include <vector>

namespace forelock::test {

struct Event {
  std::uint32_t name;
  std::uint8_t tier;
  bool shared;
  bool in_order;                    // waits its turn: not a try, not aborted, not timed out
  std::uint64_t called, returned;   // of the acquire call: returned means granted, or queued
  std::uint64_t granted, released;  // 0: not
  std::uint64_t token;
};

// A bounded log in shared memory. A writer that dies leaves its event as far as it came.
struct History {
  static constexpr std::uint32_t kCapacity = 1u << 20;
  std::atomic<std::uint64_t> clock;
  std::atomic<std::uint32_t> used;
  Event events[kCapacity];

  std::uint64_t tick() { return clock.fetch_add(1) + 1; }
  Event* add() {
    if (used.load() >= kCapacity) return nullptr;
    const std::uint32_t at = used.fetch_add(1);
    return at < kCapacity ? &events[at] : nullptr;
  }
};

struct HistoryFaults {
  std::uint64_t checked = 0, overlaps = 0, token_order = 0, fifo = 0;
};

// `now`: later than every event; the end of what nobody released.
inline HistoryFaults check_history(const History& history, std::uint64_t now) {
  HistoryFaults faults;
  std::map<std::uint32_t, std::vector<const Event*>> by_name;
  const std::uint32_t used = std::min(history.used.load(), History::kCapacity);
  for (std::uint32_t i = 0; i < used; i++) {
    const Event& event = history.events[i];
    if (event.granted != 0 && event.token != 0) by_name[event.name].push_back(&event);
  }
  const auto end = [now](const Event& e) { return e.released != 0 ? e.released : now; };
  for (auto& [name, events] : by_name) {
    faults.checked += events.size();
    // Nobody beside an exclusive holder, and tokens in the order of grants that exclude each other.
    std::sort(events.begin(), events.end(), [](const Event* a, const Event* b) { return a->granted < b->granted; });
    std::uint64_t exclusive_end = 0, shared_end = 0, exclusive_token = 0, last_token = 0;
    for (const Event* event : events) {
      if (event->granted < exclusive_end || (!event->shared && event->granted < shared_end)) faults.overlaps++;
      if (event->token <= (event->shared ? exclusive_token : last_token)) faults.token_order++;
      if (!event->shared) {
        exclusive_end = std::max(exclusive_end, end(*event));
        exclusive_token = std::max(exclusive_token, event->token);
      } else {
        shared_end = std::max(shared_end, end(*event));
      }
      last_token = std::max(last_token, event->token);
    }
    // First come, first served within a tier and a mode: of all whose call had returned before this one was made, none
    // has a later token.
    std::map<std::pair<std::uint8_t, bool>, std::vector<const Event*>> queues;
    for (const Event* event : events) {
      if (event->in_order) queues[{event->tier, event->shared}].push_back(event);
    }
    for (auto& [key, queue] : queues) {
      std::vector<const Event*> returned = queue;
      std::sort(queue.begin(), queue.end(), [](const Event* a, const Event* b) { return a->called < b->called; });
      std::sort(returned.begin(), returned.end(), [](const Event* a, const Event* b) { return a->returned < b->returned; });
      std::uint64_t highest = 0;
      std::size_t at = 0;
      for (const Event* event : queue) {
        for (; at < returned.size() && returned[at]->returned < event->called; at++) highest = std::max(highest, returned[at]->token);
        if (event->token <= highest) faults.fifo++;
      }
    }
  }
  return faults;
}

}  // namespace forelock::test
