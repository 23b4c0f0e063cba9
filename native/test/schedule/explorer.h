// Explores every schedule of a model: depth first over states, each visited once.
//
// A state is known by a 64-bit hash of memory and views and, for each thread, of its stack and its part of the heap.
// With n states the chance that two of them share a hash is about n^2 / 2^65: 10^-7 for a million, 10^-5 for ten.
//
// Sleep sets (Godefroid, Partial-Order Methods for the Verification of Concurrent Systems, LNCS 1032, 1996) leave out
// steps that only reorder independent ones; a state met again with a smaller sleep set is entered again for the
// difference. With a bound on preemptions there are no sleep sets (they would cut what the bound still allows).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "scheduler.h"

namespace scheduled {

struct Result {
  std::uint64_t states = 0;
  std::uint64_t steps = 0;
  std::uint64_t ends = 0;      // states in which nothing can happen any more, counted once per way into them
  std::uint64_t restarts = 0;  // explorations thrown away because a location proved to be shared
  bool exhausted = false;
  std::string violation;
  std::string schedule;                // replays it
  std::vector<std::string> trace;      // every operation up to it
  std::vector<std::string> contended;  // locations at which threads were found to compete
  double seconds = 0;
};

// Set of states with the sleep set each was left with.
class StateTable {
 public:
  struct Entry {
    std::uint64_t key;
    std::uint64_t sleep;
  };
  StateTable() : entries_(1 << 16) {}
  // The entry of this key; fresh tells whether it was not there.
  Entry& find(std::uint64_t key, bool& fresh) {
    if (key == 0) key = 1;
    if (size_ * 10 > entries_.size() * 7) grow();
    Entry& entry = slot(key);
    fresh = entry.key == 0;
    if (fresh) {
      entry.key = key;
      size_++;
    }
    return entry;
  }
  std::size_t size() const { return size_; }

 private:
  Entry& slot(std::uint64_t key) {
    std::size_t i = (key * 0x9e3779b97f4a7c15ull) >> 7 & (entries_.size() - 1);
    while (entries_[i].key != 0 && entries_[i].key != key) i = (i + 1) & (entries_.size() - 1);
    return entries_[i];
  }
  void grow() {
    std::vector<Entry> old(entries_.size() * 2);
    old.swap(entries_);
    for (const Entry& entry : old) {
      if (entry.key != 0) slot(entry.key) = entry;
    }
  }
  std::vector<Entry> entries_;
  std::size_t size_ = 0;
};

class Explorer {
 public:
  // Without reduction every operation is a scheduling point and nothing sleeps: only to check that both find the same.
  explicit Explorer(const Model& model, bool reduces = true) : model_(model), scheduler_(model), sleeps_(model.preemptions < 0 && reduces) {
    scheduler_.post_all(!reduces);
  }

  Result explore() {
    const auto from = std::chrono::steady_clock::now();
    Result result;
    // Early assumptions are wrong often: look at them after few states first.
    for (std::uint64_t limit = 200;; limit *= 4) {
      const std::uint64_t restarts = result.restarts;
      result = Result{};
      result.restarts = restarts;
      const bool complete = run(result, limit);
      // A way found under wrong assumptions cannot be walked again; it will be found again under better ones.
      if (!result.violation.empty() && !scheduler_.assumptions_broken()) break;
      if (result.violation.empty() && complete) {
        result.exhausted = result.states < model_.max_states;
        break;
      }
      result.restarts++;
    }
    if (!result.violation.empty()) explain(result);
    result.contended = scheduler_.contended();
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
    return result;
  }

  // Runs one schedule, as printed with a violation.
  Result replay(const std::string& schedule) {
    Result result;
    scheduler_.post_all(true);
    scheduler_.tracer = [&](const std::string& line) { result.trace.push_back(line); };
    scheduler_.begin();
    std::size_t at = 0;
    while (at < schedule.size() && scheduler_.violation().empty()) {
      const bool dies = schedule[at] == '!';
      if (dies) at++;
      const int actor = schedule[at++] - 'a';
      std::uint64_t choice = 0, times = 1;
      if (at < schedule.size() && schedule[at] == ':') choice = number(schedule, ++at);
      if (at < schedule.size() && schedule[at] >= '0' && schedule[at] <= '9') times = number(schedule, at);
      if (at < schedule.size() && schedule[at] == ',') at++;
      if (actor < 0 || actor >= scheduler_.threads()) give_up("bad schedule");
      for (std::uint64_t i = 0; i < times && scheduler_.violation().empty(); i++) {
        if (dies) {
          scheduler_.crash(actor);
        } else if (scheduler_.can_step(actor)) {
          scheduler_.step(actor, static_cast<std::uint8_t>(choice));
        } else {
          result.trace.push_back("      (" + scheduler_.spec(actor).name + " cannot go on: the schedule is of another build)");
          return result;
        }
      }
    }
    if (scheduler_.violation().empty() && !anything_possible()) scheduler_.finish();
    result.violation = scheduler_.violation();
    scheduler_.tracer = nullptr;
    scheduler_.post_all(false);
    return result;
  }

 private:
  // What can happen next: a step of a thread (one of its choices) or the death of a process.
  struct Transition {
    std::uint8_t thread;
    std::uint8_t choice;
    bool dies;
    int actor() const { return thread + (dies ? kMaxThreads : 0); }
  };
  struct Frame {
    std::vector<unsigned char> state;
    std::vector<Transition> todo;
    std::size_t next = 0;
    std::uint32_t sleep = 0;  // actors not to be explored from here
    std::uint32_t done = 0;   // actors explored from here
    std::uint32_t independent[2 * kMaxThreads];
    Transition taken{};
    int last = -1;  // thread that ran last, and how many preemptions led here
    int preemptions = 0;
  };

  static constexpr std::size_t kMaxDepth = 20'000;

  bool run(Result& result, std::uint64_t limit) {
    table_ = StateTable();
    depth_ = 0;
    scheduler_.begin();
    if (!enter(0, -1, 0, result)) return result.violation.empty() && !scheduler_.assumptions_broken();
    std::uint64_t next_look = limit;
    while (depth_ > 0) {
      Frame& frame = frames_[depth_ - 1];
      if (frame.next == frame.todo.size()) {
        depth_--;
        continue;
      }
      if (frame.next > 0) scheduler_.load(frame.state.data());
      const Transition t = frame.todo[frame.next++];
      frame.taken = t;
      const std::uint32_t child_sleep = sleep_after(frame, t);
      const int preemptions = frame.preemptions + costs(frame, t);
      take(t);
      result.steps++;
      if (!scheduler_.violation().empty()) {
        result.violation = scheduler_.violation();
        return true;
      }
      if (!enter(child_sleep, t.dies ? -1 : t.thread, preemptions, result) && !result.violation.empty()) return true;
      if (depth_ > kMaxDepth) {
        result.violation = "does not end (livelock?)";
        return true;
      }
      result.states = table_.size();
      if (result.states >= model_.max_states) return true;
      if (result.states > next_look && scheduler_.assumptions_broken()) return false;
      if (result.states > next_look) next_look *= 4;
    }
    return !scheduler_.assumptions_broken();
  }

  // Where a thread is to be tried alone, its death is decided now and comes later.
  void take(const Transition& t) {
    if (t.dies && scheduler_.alone() >= 0) {
      scheduler_.doom(t.thread);
    } else if (t.dies) {
      scheduler_.crash(t.thread);
    } else {
      scheduler_.step(t.thread, t.choice);
    }
  }

  // Looks at the state just reached; false when there is nothing (more) to explore from it.
  bool enter(std::uint32_t sleep, int last, int preemptions, Result& result) {
    std::uint64_t key = scheduler_.hash();
    if (!sleeps_) key = mix(key, static_cast<std::uint64_t>(last + 1) * 1000 + static_cast<std::uint64_t>(preemptions));
    bool fresh;
    StateTable::Entry& entry = table_.find(key, fresh);
    std::uint32_t wanted = ~sleep;
    if (fresh) {
      entry.sleep = sleep;
    } else {
      wanted = static_cast<std::uint32_t>(entry.sleep) & ~sleep;
      entry.sleep &= sleep;
      if (wanted == 0) return false;
      sleep = static_cast<std::uint32_t>(entry.sleep);
    }
    result.states = table_.size();

    if (frames_.size() <= depth_) frames_.emplace_back();
    Frame& frame = frames_[depth_];
    frame.todo.clear();
    frame.next = 0;
    frame.sleep = sleep;
    frame.done = 0;
    frame.last = last;
    frame.preemptions = preemptions;
    bool possible = false;
    const int alone = scheduler_.alone();
    if (alone >= 0) {
      possible = true;
      if (wanted & (1u << alone)) frame.todo.push_back({static_cast<std::uint8_t>(alone), 0, false});
      if (wanted & (1u << (kMaxThreads + alone))) frame.todo.push_back({static_cast<std::uint8_t>(alone), 0, true});
    }
    for (int i = 0; alone < 0 && i < scheduler_.threads(); i++) {
      // The thread that ran last goes on first: traces stay readable.
      const int t = last < 0 ? i : i == 0 ? last : i <= last ? i - 1 : i;
      add_transitions(frame, t, wanted, possible);
    }
    if (!possible) {
      result.ends++;
      scheduler_.finish();
      result.violation = scheduler_.violation();
      return false;
    }
    if (frame.todo.empty()) return false;
    if (frame.todo.size() > 1) scheduler_.save(frame.state);
    if (sleeps_) note_independence(frame);
    depth_++;
    return true;
  }

  void add_transitions(Frame& frame, int t, std::uint32_t wanted, bool& possible) {
    if (scheduler_.can_step(t)) {
      possible = true;
      const bool affordable = model_.preemptions < 0 || frame.last < 0 || frame.last == t || !scheduler_.can_step(frame.last) ||
                              frame.preemptions < model_.preemptions;
      if ((wanted & (1u << t)) && affordable) {
        scheduler_.choices(t, choices_);
        for (std::uint8_t choice : choices_) frame.todo.push_back({static_cast<std::uint8_t>(t), choice, false});
      }
    }
    if (scheduler_.is_doomed(t)) possible = true;
    if (scheduler_.can_crash(t) && (wanted & (1u << (kMaxThreads + t)))) {
      frame.todo.push_back({static_cast<std::uint8_t>(t), 0, true});
    }
  }

  int costs(const Frame& frame, const Transition& t) const {
    if (model_.preemptions < 0 || t.dies || frame.last < 0 || frame.last == t.thread) return 0;
    return scheduler_.can_step(frame.last) ? 1 : 0;
  }

  void note_independence(Frame& frame) {
    for (int a = 0; a < 2 * kMaxThreads; a++) frame.independent[a] = 0;
    for (const Transition& t : frame.todo) {
      std::uint32_t& set = frame.independent[t.actor()];
      if (set != 0) continue;
      for (int u = 0; u < scheduler_.threads(); u++) {
        const bool free = t.dies ? scheduler_.crash_independent(t.thread, u)
                                 : u != t.thread && scheduler_.can_step(u) && scheduler_.independent(t.thread, u);
        if (free) set |= 1u << u;
        if (!t.dies && scheduler_.crash_independent(u, t.thread)) set |= 1u << (kMaxThreads + u);
      }
    }
  }
  // Who need not be explored after t: it was explored from here (or further up) and does not mind t.
  std::uint32_t sleep_after(Frame& frame, const Transition& t) {
    if (!sleeps_) return 0;
    // The choices of one actor stand together: it counts as explored when the next actor's turn comes.
    if (frame.next >= 2) {
      const int before = frame.todo[frame.next - 2].actor();
      if (before != t.actor()) frame.done |= 1u << before;
    }
    return (frame.sleep | frame.done) & frame.independent[t.actor()];
  }

  bool anything_possible() const {
    for (int t = 0; t < scheduler_.threads(); t++) {
      if (scheduler_.can_step(t)) return true;
    }
    return false;
  }

  // Runs the way to the violation once more and writes down every operation, including those without a scheduling
  // point.
  void explain(Result& result) {
    std::vector<Transition> path;
    for (std::size_t i = 0; i < depth_; i++) path.push_back(frames_[i].taken);
    std::vector<Transition> all;
    // Nothing is learned on the way, so the operations are posted as they were.
    scheduler_.tracer = [&](const std::string& line) { result.trace.push_back(line); };
    scheduler_.operation = [&](int t, std::uint8_t choice, bool dies) { all.push_back({static_cast<std::uint8_t>(t), choice, dies}); };
    scheduler_.begin();
    for (const Transition& t : path) {
      if (scheduler_.violation().empty()) take(t);
    }
    if (scheduler_.violation().empty() && !anything_possible()) scheduler_.finish();
    scheduler_.tracer = nullptr;
    scheduler_.operation = nullptr;
    result.schedule = text_of(all);
  }

  static std::uint64_t number(const std::string& text, std::size_t& at) {
    std::uint64_t value = 0;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') value = value * 10 + static_cast<std::uint64_t>(text[at++] - '0');
    return value;
  }
  static std::string text_of(const std::vector<Transition>& all) {
    std::string text;
    for (std::size_t i = 0; i < all.size();) {
      std::size_t run = 1;
      const Transition& t = all[i];
      while (!t.dies && t.choice == 0 && i + run < all.size() && all[i + run].thread == t.thread && !all[i + run].dies &&
             all[i + run].choice == 0) {
        run++;
      }
      if (!text.empty()) text += ',';
      if (t.dies) text += '!';
      text += static_cast<char>('a' + t.thread);
      if (t.choice != 0) text += ":" + std::to_string(t.choice);
      if (run > 1) text += std::to_string(run);
      i += run;
    }
    return text;
  }

  const Model& model_;
  Scheduler scheduler_;
  const bool sleeps_;
  StateTable table_;
  std::vector<Frame> frames_;
  std::size_t depth_ = 0;
  std::vector<std::uint8_t> choices_;
};

}  // namespace scheduled
