// The scheduler proves itself: small programs with known bugs, each found, and their repaired forms, each passed in
// full.
#include <set>

#include "suite.h"

using scheduled::atomic;
using scheduled::check;
using scheduled::Model;
using scheduled::plain;
using scheduled::Suite;
using scheduled::ThreadSpec;

namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto acq_rel = std::memory_order_acq_rel;
constexpr auto seq_cst = std::memory_order_seq_cst;
using Order = std::memory_order;
using Word = atomic<std::uint32_t>;

struct World {
  Word x, y, z, w;
  Word result[4];
  plain<std::uint32_t> data;
  atomic<std::uint64_t> head;
  Word next[4];
} world;

void show_names() {
  auto* s = scheduled::Scheduler::current();
  s->name(&world.x, "x", nullptr);
  s->name(&world.y, "y", nullptr);
  s->name(&world.z, "z", nullptr);
  s->name(&world.w, "w", nullptr);
  s->name(&world.data, "data", nullptr);
  s->name(&world.head, "head", nullptr);
}

Model model(std::vector<std::function<std::uint64_t()>> bodies) {
  Model m;
  m.prepare = [] {
    std::memset(static_cast<void*>(&world), 0, sizeof world);
    show_names();
  };
  for (std::size_t i = 0; i < bodies.size(); i++) m.threads.push_back({std::string(1, static_cast<char>('A' + i)), bodies[i]});
  return m;
}

// What threads answered is read at the end from result[], which each writes once.
std::uint64_t answer(int i, std::uint32_t value) {
  world.result[i].store(value, relaxed);
  return value;
}
std::uint32_t result(int i) { return world.result[i].load(relaxed); }

// ---- litmus tests
// -----------------------------------------------------------------------------------------------------

Model store_buffering(Order store, Order load) {
  Model m = model({[=] {
                     world.x.store(1, store);
                     return answer(0, world.y.load(load));
                   },
                   [=] {
                     world.y.store(1, store);
                     return answer(1, world.x.load(load));
                   }});
  m.at_end = [] { check(result(0) + result(1) > 0, "both read 0"); };
  return m;
}

// The same with read-modify-writes of release/acquire order in place of the stores: still two locations.
Model store_buffering_by_exchange(Order exchange) {
  Model m = model({[=] {
                     world.x.exchange(1, exchange);
                     return answer(0, world.y.load(exchange == seq_cst ? seq_cst : acquire));
                   },
                   [=] {
                     world.y.exchange(1, exchange);
                     return answer(1, world.x.load(exchange == seq_cst ? seq_cst : acquire));
                   }});
  m.at_end = [] { check(result(0) + result(1) > 0, "both read 0"); };
  return m;
}

// Both on one location: whoever comes second learns what the first did.
Model store_buffering_on_one_word() {
  Model m = model({[] {
                     world.x.store(1, relaxed);
                     if (world.z.exchange(1, acq_rel) == 1) return answer(0, world.y.load(relaxed));
                     return answer(0, 1);
                   },
                   [] {
                     world.y.store(1, relaxed);
                     if (world.z.exchange(1, acq_rel) == 1) return answer(1, world.x.load(relaxed));
                     return answer(1, 1);
                   }});
  m.at_end = [] { check(result(0) == 1 && result(1) == 1, "the second missed the first"); };
  return m;
}

Model message_passing(Order store, Order load) {
  return model({[=] {
                  world.x.store(1, relaxed);
                  world.y.store(1, store);
                  return 0;
                },
                [=] {
                  if (world.y.load(load) == 1) check(world.x.load(relaxed) == 1, "the flag came without the message");
                  return 0;
                }});
}

Model message_passing_of_plain(Order store, Order load) {
  return model({[=] {
                  world.data.set(7);
                  world.y.store(1, store);
                  return 0;
                },
                [=] {
                  if (world.y.load(load) == 1) check(world.data.get() == 7, "the flag came without the message");
                  return 0;
                }});
}

// B's read-modify-write between A's release and C's acquire keeps the release sequence; a plain store cuts it.
Model release_sequence(bool by_update) {
  return model({[] {
                  world.x.store(1, relaxed);
                  world.y.store(1, release);
                  return 0;
                },
                [=] {
                  if (by_update) {
                    world.y.fetch_add(1, relaxed);
                  } else if (world.y.load(relaxed) == 1) {
                    world.y.store(2, relaxed);
                  }
                  return 0;
                },
                [] {
                  if (world.y.load(acquire) == 2) check(world.x.load(relaxed) == 1, "the release sequence was cut");
                  return 0;
                }});
}

Model two_plus_two_writes(Order order) {
  Model m = model({[=] {
                     world.x.store(1, order);
                     world.y.store(2, order);
                     return 0;
                   },
                   [=] {
                     world.y.store(1, order);
                     world.x.store(2, order);
                     return 0;
                   }});
  m.at_end = [] { check(world.x.load(relaxed) == 2 || world.y.load(relaxed) == 2, "both first stores came last"); };
  return m;
}

Model independent_readers(Order store, Order load) {
  Model m = model({[=] {
                     world.x.store(1, store);
                     return 0;
                   },
                   [=] {
                     world.y.store(1, store);
                     return 0;
                   },
                   [=] {
                     const std::uint32_t first = world.x.load(load);
                     return answer(0, first * 2 + world.y.load(load));
                   },
                   [=] {
                     const std::uint32_t first = world.y.load(load);
                     return answer(1, first * 2 + world.x.load(load));
                   }});
  m.at_end = [] { check(result(0) != 2 || result(1) != 2, "two readers saw two orders"); };
  return m;
}

Model load_buffering() {
  Model m = model({[] {
                     const std::uint32_t seen = world.x.load(relaxed);
                     world.y.store(1, relaxed);
                     return answer(0, seen);
                   },
                   [] {
                     const std::uint32_t seen = world.y.load(relaxed);
                     world.x.store(1, relaxed);
                     return answer(1, seen);
                   }});
  m.at_end = [] { check(result(0) + result(1) < 2, "both read what came later"); };
  return m;
}

Model coherence() {
  return model({[] {
                  world.x.store(1, relaxed);
                  world.x.store(2, relaxed);
                  return 0;
                },
                [] {
                  const std::uint32_t first = world.x.load(relaxed);
                  check(world.x.load(relaxed) >= first, "a location went back");
                  return 0;
                },
                [] {
                  const std::uint32_t first = world.x.load(relaxed);
                  check(world.x.load(relaxed) >= first, "a location went back");
                  return 0;
                }});
}

// ---- algorithms
// -------------------------------------------------------------------------------------------------------

Model lost_update(bool by_update) {
  const auto body = [=] {
    if (by_update) {
      world.x.fetch_add(1, relaxed);
    } else {
      world.x.store(world.x.load(seq_cst) + 1, seq_cst);
    }
    return 0;
  };
  Model m = model({body, body, body});
  m.at_end = [] { check(world.x.load(relaxed) == 3, "an update was lost"); };
  return m;
}

// Peterson's lock needs sequential consistency.
Model peterson(Order order) {
  const auto body = [=](int me) {
    return [=] {
      Word& mine = me == 0 ? world.x : world.y;
      Word& theirs = me == 0 ? world.y : world.x;
      mine.store(1, order);
      world.z.store(static_cast<std::uint32_t>(1 - me), order);
      // One look is enough: who would have to wait gives up.
      const bool may = theirs.load(order == seq_cst ? seq_cst : acquire) == 0 ||
                       world.z.load(order == seq_cst ? seq_cst : acquire) == static_cast<std::uint32_t>(me);
      if (may) {
        world.data.set(world.data.get() + 1);
        mine.store(0, order);
      }
      return 0;
    };
  };
  return model({body(0), body(1)});
}

// A one-word lock whose waiters sleep: waking is tied to a bit in the word (Drepper, Futexes Are Tricky, 2011).
Model sleeping_lock(bool marks_sleepers, int threads) {
  const auto body = [=] {
    std::uint32_t seen = 0;
    if (!world.x.compare_exchange_strong(seen, 1, acq_rel, acquire)) {
      for (;;) {
        if (marks_sleepers) {
          if (world.x.exchange(2, acq_rel) == 0) break;
          scheduled::futex_wait(world.x, 2u);
        } else {
          // The bug: sleeps on 1, which the holder takes for "nobody sleeps".
          scheduled::futex_wait(world.x, 1u);
          seen = 0;
          if (world.x.compare_exchange_strong(seen, 1, acq_rel, acquire)) break;
        }
      }
    }
    world.data.set(world.data.get() + 1);
    if (world.x.exchange(0, acq_rel) == 2) scheduled::futex_wake(world.x);
    return 0;
  };
  Model m = model(std::vector<std::function<std::uint64_t()>>(static_cast<std::size_t>(threads), body));
  m.at_end = [=] { check(world.data.get() == static_cast<std::uint32_t>(threads), "an entry was lost"); };
  return m;
}

// A stack of two nodes whose pop reads next before its CAS; with a tag beside the index there is no ABA.
Model stack_pop(bool tagged) {
  const auto pop = [=]() -> std::uint32_t {
    for (;;) {
      std::uint64_t seen = world.head.load(acquire);
      const auto top = static_cast<std::uint32_t>(seen);
      if (top == 0) return 0;
      const std::uint32_t next = world.next[top].load(relaxed);
      const std::uint64_t tag = tagged ? (seen >> 32) + 1 : 0;
      if (world.head.compare_exchange_strong(seen, tag << 32 | next, acq_rel, acquire)) return top;
    }
  };
  const auto push = [=](std::uint32_t node) {
    std::uint64_t seen = world.head.load(acquire);
    for (;;) {
      world.next[node].store(static_cast<std::uint32_t>(seen), relaxed);
      const std::uint64_t tag = tagged ? (seen >> 32) + 1 : 0;
      if (world.head.compare_exchange_strong(seen, tag << 32 | node, acq_rel, acquire)) return;
    }
  };
  Model m = model({[=] { return answer(0, pop()); },
                   [=] {
                     const std::uint32_t a = pop();
                     const std::uint32_t b = pop();
                     if (a != 0) push(a);
                     return answer(1, b);  // b stays with this thread
                   }});
  const auto before = m.prepare;
  m.prepare = [before] {
    before();
    world.next[1].store(2, relaxed);
    world.next[2].store(3, relaxed);
    world.head.store(1, relaxed);
  };
  m.at_end = [] {
    std::uint32_t kept[2] = {result(0), result(1)};
    check(kept[0] != kept[1] || kept[0] == 0, "one node in two hands");
    int length = 0;
    for (auto n = static_cast<std::uint32_t>(world.head.load(relaxed)); n != 0 && length < 5; n = world.next[n].load(relaxed)) {
      check(n != kept[0] && n != kept[1], "a node is in a hand and in the stack");
      length++;
    }
  };
  return m;
}

// An owner word, and a count that goes with it: dying between the two must be repaired from a note written ahead.
Model dying_holder(bool writes_ahead) {
  const auto take_and_give = [=](std::uint32_t me) {
    return [=] {
      if (writes_ahead) world.z.store(1, release);  // "look here if I die"
      std::uint32_t nobody = 0;
      if (world.x.compare_exchange_strong(nobody, me, acq_rel, acquire)) {
        if (!writes_ahead) world.z.store(1, release);
        world.data.set(world.data.get() + 1);
        world.x.store(0, release);
      }
      world.z.store(0, release);
      return 0;
    };
  };
  const auto recover = [] {
    if (world.w.load(acquire) != 1) return 0;
    if (world.z.load(acquire) == 0) return 0;
    std::uint32_t dead = 1;
    if (world.x.load(acquire) == dead) {
      world.data.set(0);
      world.x.compare_exchange_strong(dead, 0, acq_rel, acquire);
    }
    return 0;
  };
  Model m = model({take_and_give(1), recover});
  m.threads[1].after_crashes = 1;
  m.threads[1].may_crash = false;
  m.crashes = 1;
  m.on_crash = [](int) { world.w.store(1, release); };
  m.at_end = [] { check(world.x.load(relaxed) == 0, "the dead holds it for ever"); };
  return m;
}

Model weak_exchange(bool loops) {
  Model m = model({[=] {
    std::uint32_t seen = 0;
    while (!world.x.compare_exchange_weak(seen, 1, acq_rel, acquire) && loops) {
    }
    return 0;
  }});
  m.spurious = 2;
  m.at_end = [] { check(world.x.load(relaxed) == 1, "it failed without a reason and nobody tried again"); };
  return m;
}

Model allocating() {
  const auto body = [](std::uint32_t from) {
    return [=] {
      std::vector<std::uint32_t> seen;
      for (std::uint32_t i = 0; i < 3; i++) seen.push_back(world.x.fetch_add(from, acq_rel));
      for (std::size_t i = 1; i < seen.size(); i++) check(seen[i] > seen[i - 1], "the vector of another execution");
      return 0;
    };
  };
  return model({body(1), body(16)});
}

// ---- the reductions against none
// --------------------------------------------------------------------------------------

// A random program: each thread makes a few random accesses and remembers what it read.
struct Access {
  int location, kind;
  Order order;
  std::uint32_t operand;
};

std::set<std::string>* outcomes = nullptr;

Model random_program(std::uint64_t seed) {
  std::uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;
  const auto pick = [&](std::uint64_t n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 20) % n;
  };
  const Order orders[] = {relaxed, acquire, release, acq_rel, seq_cst};
  const std::uint64_t threads = 2 + pick(2);
  std::vector<std::function<std::uint64_t()>> bodies;
  for (std::uint64_t t = 0; t < threads; t++) {
    std::vector<Access> accesses;
    const std::uint64_t length = 2 + pick(threads == 2 ? 4 : 2);
    for (std::uint64_t i = 0; i < length; i++) {
      accesses.push_back({static_cast<int>(pick(3)), static_cast<int>(pick(4)), orders[pick(5)], static_cast<std::uint32_t>(1 + pick(3))});
    }
    bodies.push_back([accesses, t] {
      Word* const locations[] = {&world.x, &world.y, &world.z};
      std::uint32_t seen = 1;
      for (const Access& a : accesses) {
        Word& word = *locations[a.location];
        const bool loads = a.order != release && a.order != acq_rel;
        std::uint32_t expected = a.operand - 1;
        switch (a.kind) {
          case 0:
            seen = seen * 8 + word.load(loads ? a.order : acquire);
            break;
          case 1:
            word.store(a.operand, a.order == acquire || a.order == acq_rel ? release : a.order);
            break;
          case 2:
            seen = seen * 8 + word.exchange(a.operand, a.order);
            break;
          default:
            seen = seen * 8 + word.compare_exchange_strong(expected, a.operand, a.order, relaxed);
        }
      }
      return answer(static_cast<int>(t), seen);
    });
  }
  Model m = model(bodies);
  m.at_end = [] {
    scheduled::OffModelHeap outside;
    std::string text;
    for (const Word* word : {&world.x, &world.y, &world.z, &world.result[0], &world.result[1], &world.result[2]}) {
      text += std::to_string(word->load(relaxed)) + " ";
    }
    outcomes->insert(text);
  };
  return m;
}

void reductions_lose_nothing(Suite& suite, int programs) {
  int same = 0;
  std::size_t total = 0;
  std::uint64_t reduced_states = 0, all_states = 0;
  for (int seed = 1; seed <= programs; seed++) {
    for (int deaths = 0; deaths < 2; deaths++) {
      Model m = random_program(static_cast<std::uint64_t>(seed));
      m.crashes = deaths;
      std::set<std::string> reduced, all;
      outcomes = &reduced;
      reduced_states += scheduled::Explorer(m).explore().states;
      outcomes = &all;
      all_states += scheduled::Explorer(m, false).explore().states;
      same += reduced == all;
      total += all.size();
    }
  }
  suite.report("reductions lose no outcome of random programs", same == 2 * programs,
               std::to_string(same) + " of " + std::to_string(2 * programs) + " programs agree, " + std::to_string(total) + " outcomes, " +
                   std::to_string(reduced_states) + " states with and " + std::to_string(all_states) + " without");
}

}  // namespace

int main(int argc, char** argv) {
  Suite suite(argc, argv);
  suite.fails("store buffering, relaxed", "both read 0", store_buffering(relaxed, relaxed));
  suite.fails("store buffering, release/acquire", "both read 0", store_buffering(release, acquire));
  suite.fails("store buffering, seq_cst stores and acquire loads", "both read 0", store_buffering(seq_cst, acquire));
  suite.holds("store buffering, seq_cst", store_buffering(seq_cst, seq_cst));
  Model sequential = store_buffering(relaxed, relaxed);
  sequential.sequential = true;
  suite.holds("store buffering under sequential consistency", sequential);
  suite.fails("store buffering by acq_rel exchanges of two words", "both read 0", store_buffering_by_exchange(acq_rel));
  suite.holds("store buffering by seq_cst exchanges of two words", store_buffering_by_exchange(seq_cst));
  suite.holds("store buffering by acq_rel exchanges of one word", store_buffering_on_one_word());
  suite.fails("message passing without release", "without the message", message_passing(relaxed, acquire));
  suite.fails("message passing without acquire", "without the message", message_passing(release, relaxed));
  suite.holds("message passing", message_passing(release, acquire));
  suite.fails("message passing of a plain field without release", "data race", message_passing_of_plain(relaxed, acquire));
  suite.holds("message passing of a plain field", message_passing_of_plain(release, acquire));
  suite.fails("release sequence cut by a store", "was cut", release_sequence(false));
  suite.holds("release sequence through an update", release_sequence(true));
  suite.fails("2+2 writes, release", "came last", two_plus_two_writes(release));
  suite.holds("2+2 writes, seq_cst", two_plus_two_writes(seq_cst));
  suite.fails("independent readers, release/acquire", "two orders", independent_readers(release, acquire));
  suite.holds("independent readers, seq_cst", independent_readers(seq_cst, seq_cst));
  suite.holds("load buffering (RC11 forbids it)", load_buffering());
  suite.holds("coherence", coherence());
  suite.fails("counter by load and store", "lost", lost_update(false));
  suite.holds("counter by fetch_add", lost_update(true));
  suite.fails("Peterson's lock, release/acquire", "data race", peterson(release));
  suite.holds("Peterson's lock, seq_cst", peterson(seq_cst));
  suite.fails("lost wake: sleeping on an unmarked word", "sleeps for ever", sleeping_lock(false, 2));
  suite.holds("sleeping lock, two threads", sleeping_lock(true, 2));
  suite.holds("sleeping lock, three threads", sleeping_lock(true, 3));
  suite.fails("ABA: stack without tags", "", stack_pop(false));
  suite.holds("stack with tags", stack_pop(true));
  suite.fails("death after the CAS, before the note", "dead holds it", dying_holder(false));
  suite.holds("death of a holder that wrote ahead", dying_holder(true));
  suite.fails("weak exchange without a loop", "without a reason", weak_exchange(false));
  suite.holds("weak exchange in a loop", weak_exchange(true));
  suite.holds("model code that allocates", allocating());
  reductions_lose_nothing(suite, 300);
  return suite.finish();
}
