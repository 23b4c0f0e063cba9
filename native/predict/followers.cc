#include "predict/followers.h"

#include <algorithm>
#include <cmath>

#include "predict/mixed.h"

namespace forelock::predict {

namespace {

constexpr double kSilence = 16;       // times as long as is looked ahead: a run silent for longer is over
constexpr double kProbesWithin = 16;  // on average, in the time that is looked ahead
constexpr double kProbesAnOctave = 4;
constexpr int kProbesOfSilence = 64;
constexpr double kPrior = 0.5;  // probes that a shorter context counts for

constexpr float kFull = 1024;  // probes of a context, at which half is forgotten
constexpr float kHalf = 0.5F;
constexpr double kSilences = 12;     // octaves of silence
constexpr int kReplaced = 8;         // followers at most, by one probe
constexpr std::size_t kSampled = 8;  // followers, of which the rarest may lose its place
constexpr std::uint32_t kNowhere = 0xffffffff;

std::uint64_t with_silence(std::uint64_t context, double silence, double within) {
  const double octave = std::log2(std::max(silence, 1e-9) / within) + kSilences - 4;
  return mixed(context + static_cast<std::uint64_t>(std::clamp(octave, 0.0, kSilences)) + 1);
}

}  // namespace

// Until the next probe, exponentially distributed: the longer the silence, the rarer, so that each octave of it costs as much.
double Followers::pause(double silence) {
  state_ += 0x9e3779b97f4a7c15ull;
  const double uniform = static_cast<double>(mixed(state_) >> 11) * 0x1p-53;
  return -std::log(1 - uniform) * std::max(within_ / kProbesWithin, silence / kProbesAnOctave);
}

Followers::Run* Followers::find(std::uint32_t id) {
  for (Run& run : runs_) {
    if (run.id == id) return &run;
  }
  return nullptr;
}

void Followers::arrived(std::uint32_t id, std::uint64_t key, Item item, double now) {
  if (contexts_.empty()) contexts_.resize(kContexts);
  close(now);
  Run* run = find(id);
  if (run == nullptr) {
    open(id, now);
    run = &runs_.back();
  } else {
    probe(*run, now);
    settle(*run, now);
    keep(*run, now, item);
  }
  if (item.index >= place_.size()) place_.resize(item.index + std::size_t{1}, kNowhere);
  std::copy_backward(run->recent, run->recent + kOrders - 1, run->recent + kOrders);
  run->recent[0] = key;
  run->last = now;
  // An exponential time does not age: one that is drawn already is as good as another, unless it was drawn for a longer silence.
  if (!run->in_silence && run->probe_at > now) return;
  run->probe_at = now + pause(0);
  run->in_silence = false;
}

// The last one, two, three keys ...: only probes ask for them, and they are far rarer than keys.
Followers::Contexts Followers::contexts_of(const Run& run) {
  Contexts contexts;
  std::uint64_t context = 0;
  for (std::size_t order = 0; order < kOrders; order++)
    contexts.of[order] = context = mixed(context ^ mixed(run.recent[order] + order + 1));
  return contexts;
}

// The first one of a run is behind no probe.
void Followers::keep(Run& run, double now, Item item) {
  auto& kept = run.arrivals;
  if (kept.size() == kArrivals) {
    // Half at once, so that each costs little.
    kept.erase(kept.begin(), kept.begin() + kArrivals / 2);
  }
  if (run.probes.empty()) kept.clear();
  // Made where it stays: copied as a whole, it would be read before both of its halves are written, and wait for that.
  kept.emplace_back(now, item);
}

void Followers::open(std::uint32_t id, double now) {
  if (runs_.size() == kRuns) {
    runs_.erase(std::min_element(runs_.begin(), runs_.end(), [](const Run& a, const Run& b) { return a.last < b.last; }));
  }
  runs_.push_back({.id = id, .last = now, .probe_at = now, .in_silence = false, .recent = {}, .probes = {}, .arrivals = {}});
}

// At the moments until now at which the run was silent: known only when something comes, or it is over.
void Followers::probe(Run& run, double now) {
  if (run.probe_at >= now) return;
  const Contexts contexts = contexts_of(run);
  // So many at most: where a clock has gone so far that a pause is lost in it, none would be the last.
  for (int i = 0; i < kProbesOfSilence && run.probe_at < now; i++, run.probe_at += pause(run.probe_at - run.last)) {
    run.in_silence = true;
    settle(run, run.probe_at);
    if (run.probes.size() == kProbes) continue;
    Probe& made = run.probes.emplace_back();
    made.at = run.probe_at;
    for (std::size_t order = 0; order < kOrders; order++) {
      made.contexts[order] = with_silence(contexts.of[order], run.probe_at - run.last, within_);
    }
  }
}

void Followers::settle(Run& run, double now) {
  if (run.probes.empty() || run.probes.front().at + within_ >= now) return;
  const auto open = std::find_if(run.probes.begin(), run.probes.end(), [&](const Probe& each) { return each.at + within_ >= now; });
  std::for_each(run.probes.begin(), open, [&](const Probe& each) { finish(run, each); });
  run.probes.erase(run.probes.begin(), open);
}

void Followers::close(double now) {
  if (over_ >= now) return;
  double next = now + (kSilence + 1) * within_;
  std::erase_if(runs_, [&](Run& run) {
    const double over = run.last + kSilence * within_;
    if (over + within_ >= now) {
      next = std::min(next, over + within_);
      return false;
    }
    probe(run, over);
    settle(run, now);
    return true;
  });
  // Of what comes from now on none is over sooner.
  over_ = next;
}

void Followers::finish(const Run& run, const Probe& probe) {
  came_.clear();
  const auto until = std::upper_bound(run.arrivals.begin(), run.arrivals.end(), probe.at + within_,
                                      [](double time, const Arrival& one) { return time < one.time; });
  for (auto each = until; each != run.arrivals.begin() && (each - 1)->time >= probe.at;) {
    const Item item = (--each)->item;
    if (place(item) != kNowhere) continue;
    place(item) = 0;
    came_.push_back(item);
  }
  for (const Item item : came_) place(item) = kNowhere;
  for (const std::uint64_t hash : probe.contexts) {
    Context* context = claim(hash);
    if (context != nullptr) note(*context);
  }
}

void Followers::note(Context& context) {
  auto& followers = context.followers;
  if (context.count >= kFull) {
    context.count *= kHalf;
    for (Follower& one : followers) one.count *= kHalf;
  }
  context.count += 1;
  for (std::size_t i = 0; i < followers.size(); i++) place(followers[i].item) = static_cast<std::uint32_t>(i);
  // Where all is new each time, that would cost more than it tells.
  int tries = kReplaced;
  for (const Item item : came_) {
    const std::uint32_t at = place(item);
    if (at != kNowhere && followers[at].item == item) {
      followers[at].count += 1;
    } else if (at != kNowhere) {
      followers[at] = {item, 1};  // another key had its index
    } else if (followers.size() < kFollowers) {
      place(item) = static_cast<std::uint32_t>(followers.size());
      followers.push_back({item, 1});
    } else if (tries-- > 0) {
      replace(followers, item);
    }
  }
  for (const Follower& one : followers) place(one.item) = kNowhere;
}

// One of some loses its place in time, the rarest of them, near to space-saving (Metwally et al., ICDT 2005).
void Followers::replace(std::vector<Follower>& followers, Item item) {
  const std::size_t from = mixed(++state_) % followers.size();
  std::size_t least = from;
  for (std::size_t i = 1; i < kSampled; i++) {
    const std::size_t at = (from + i) % followers.size();
    if (followers[at].count < followers[least].count) least = at;
  }
  if (followers[least].count > kHalf) {
    followers[least].count -= kHalf;
    return;
  }
  place(followers[least].item) = kNowhere;
  place(item) = static_cast<std::uint32_t>(least);
  followers[least] = {item, 1};
}

Followers::Context* Followers::look(std::uint64_t hash) {
  Context* first = &contexts_[hash % (kContexts / kWays) * kWays];
  for (Context* each = first; each < first + kWays; each++) {
    if (each->hash == hash && each->count > 0) return each;
  }
  return nullptr;
}

Followers::Context* Followers::claim(std::uint64_t hash) {
  Context* found = look(hash);
  if (found != nullptr) return found;
  Context* first = &contexts_[hash % (kContexts / kWays) * kWays];
  found = std::min_element(first, first + kWays, [](const Context& a, const Context& b) { return a.count < b.count; });
  if (found->count > kHalf) {
    // As its chances are: of all that it counted, the same part is lost.
    const float kept = std::max(0.0F, 1 - kHalf / found->count);
    found->count *= kept;
    for (Follower& one : found->followers) one.count *= kept;
    return nullptr;
  }
  found->hash = hash;
  found->count = 0;
  found->followers.clear();
  return found;
}

std::span<const Followers::Expected> Followers::expected(double now) {
  expected_.clear();
  if (!any()) return expected_;
  close(now);
  for (const Run& run : runs_) {
    if (now - run.last > kSilence * within_) continue;
    expect(run, now);
    for (const Expected& one : of_run_) place(one.item) = kNowhere;
    for (std::size_t i = 0; i < expected_.size(); i++) place(expected_[i].item) = static_cast<std::uint32_t>(i);
    for (const Expected& one : of_run_) {
      const std::uint32_t at = place(one.item);
      if (at == kNowhere) {
        expected_.push_back(one);
      } else if (expected_[at].item == one.item) {
        expected_[at].chance = 1 - (1 - expected_[at].chance) * (1 - one.chance);
      }
    }
    for (const Expected& one : expected_) place(one.item) = kNowhere;
  }
  return expected_;
}

// Of one run: the shortest context first, each longer one as far as it was seen.
void Followers::expect(const Run& run, double now) {
  of_run_.clear();
  for (const std::uint64_t each : contexts_of(run).of) {
    const Context* context = look(with_silence(each, now - run.last, within_));
    if (context == nullptr) break;
    const double all = static_cast<double>(context->count) + kPrior;
    for (Expected& one : of_run_) one.chance *= kPrior / all;
    for (const Follower& one : context->followers) {
      std::uint32_t& at = place(one.item);
      if (at == kNowhere) {
        at = static_cast<std::uint32_t>(of_run_.size());
        of_run_.push_back({one.item, 0});
      }
      if (of_run_[at].item == one.item) of_run_[at].chance += static_cast<double>(one.count) / all;
    }
  }
  for (const Expected& one : of_run_) place(one.item) = kNowhere;
}

}  // namespace forelock::predict
