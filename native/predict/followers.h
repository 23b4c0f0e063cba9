// What comes soon after what, inside of a run (a trace, a workflow): P(key comes in the run within the time from now on), given the last
// keys of the run and how long nothing came since. Runs are probed at random moments; a probe notes the context then (the last one, two or
// three keys, and the octave of the silence) and, when its time is over, which keys came in it. So what is counted is what is asked later:
// chances at any moment of a run, not just behind an arrival. A longer context is believed as far as it was seen, and what it says is mixed
// with what the next shorter one says, as in a language model of Dirichlet priors (MacKay and Peto, Natural Language Engineering 1(3),
// 1995).
//
// Of one thread. Memory is bounded: runs, contexts and followers of a context beyond their numbers push out what is rarest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace forelock::predict {

class Followers {
 public:
  // A key, as who asks numbers it; an index given to another key has another epoch.
  struct Item {
    std::uint32_t index;
    std::uint32_t epoch;
    bool operator==(const Item&) const = default;
  };
  struct Expected {
    Item item;
    double chance;
  };

  Followers(double within, std::uint64_t seed) : within_(within), state_(seed) {}

  // A key came in a run; times do not go back.
  void arrived(std::uint32_t run, std::uint64_t key, Item item, double now);
  // The keys that may come within the time, in any run; valid until the next call.
  std::span<const Expected> expected(double now);
  // Whether any run was ever told of.
  bool any() const { return !contexts_.empty(); }

  static constexpr std::size_t kOrders = 4;
  static constexpr std::size_t kRuns = 256;
  static constexpr std::size_t kProbes = 16;       // of a run, open at once
  static constexpr std::size_t kArrivals = 1'024;  // of a run, kept until it is known what follows
  static constexpr std::size_t kFollowers = 96;
  static constexpr std::size_t kContexts = 16'384;
  static constexpr std::size_t kWays = 4;

 private:
  struct Follower {
    Item item;
    float count;
  };
  struct Context {
    std::uint64_t hash = 0;
    float count = 0;
    std::vector<Follower> followers;
  };
  struct Probe {
    double at;
    std::uint64_t contexts[kOrders];
  };
  struct Arrival {
    Arrival(double at, Item what) : time(at), item(what) {}  // for emplace_back: compilers before P0960 do not take an aggregate's parts
    double time;
    Item item;
  };
  struct Run {
    std::uint32_t id;
    double last;
    double probe_at;
    bool in_silence;                // that moment was drawn in a silence: it is not to stay when something comes
    std::uint64_t recent[kOrders];  // keys, the latest first
    std::vector<Probe> probes;
    std::vector<Arrival> arrivals;  // since the first open probe, oldest first, and some before
  };

  struct Contexts {
    std::uint64_t of[kOrders];
  };

  Run* find(std::uint32_t id);
  static Contexts contexts_of(const Run& run);
  void keep(Run& run, double now, Item item);
  void open(std::uint32_t id, double now);
  void probe(Run& run, double now);
  void settle(Run& run, double now);
  void finish(const Run& run, const Probe& probe);
  void close(double now);
  void note(Context& context);
  void replace(std::vector<Follower>& followers, Item item);
  std::uint32_t& place(Item item) { return place_[item.index]; }
  Context* look(std::uint64_t hash);
  Context* claim(std::uint64_t hash);
  void expect(const Run& run, double now);
  double pause(double silence);

  const double within_;
  std::uint64_t state_;
  std::vector<Run> runs_;
  double over_ = -1e300;  // before it no run is
  std::vector<Context> contexts_;
  std::vector<Expected> expected_;
  std::vector<Expected> of_run_;
  std::vector<Item> came_;            // after a probe, each once
  std::vector<std::uint32_t> place_;  // of an item in the list at hand, by its index
};

}  // namespace forelock::predict
