#include "predict/arrivals.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>

#include "predict/mixed.h"

namespace forelock::predict {

namespace {

constexpr double kSpanSeconds[kSpans] = {1, 10, 60, 600};
constexpr double kRankSeconds = 3600;  // over which being asked for counts when places are short
constexpr float kGapMemory = 0.97F;    // of a gap when the next comes
constexpr float kPairMemory = 0.995F;
constexpr double kShortest = 1e-4;      // s, of a gap
constexpr double kBinsPerOctave = 1.6;  // of gaps: 32 bins from 0.1 ms to 3 h
constexpr double kSampleEvery = 0.25;   // s, on average
constexpr double kLately = 30;          // s: a key asked for since is worth looking at more often
constexpr std::size_t kSampledLately = 128;
constexpr std::size_t kSampledOthers = 256;
constexpr std::size_t kWalked = 4096;  // keys at most, of a look through those asked for lately
constexpr double kHeaviest = 64;       // weight of an example
constexpr float kRate = 0.06F;
constexpr double kCalibration = 20;  // what a bin of recalibration is believed to have seen
constexpr double kForgotten = 1e-4;  // of recalibration, by an example of weight 1
constexpr std::size_t kClients = 4096;
constexpr double kSurest = 0.9999;  // nothing is certain that was only learnt
constexpr double kEver = 1e12;      // s: beyond it a moment later would be the same number
constexpr double kFar = 14;         // log2 of s, for a gap that there is none of yet

double gap_place(double gap) { return (std::log2(std::max(gap, kShortest)) - std::log2(kShortest)) * kBinsPerOctave; }

// Into bins of equal width between two ends.
std::uint32_t bin(double value, double low, double high) {
  const double place = (value - low) * (static_cast<double>(Arrivals::kBins) / (high - low));
  if (!(place > 0)) return 0;
  return std::min<std::uint32_t>(static_cast<std::uint32_t>(std::min(place, 1e6)), Arrivals::kBins - 1);
}

double log_odds(double p) {
  const double kept = std::clamp(p, 1e-5, 1 - 1e-5);
  return std::log(kept / (1 - kept));
}

// The place of the least, the first of several. Four at a time: one behind the other each would wait for the one before, and it is asked
// for sixteen times a request.
std::size_t rarest(const float (&counts)[Arrivals::kSuccessors]) {
  constexpr std::size_t kLanes = 4;
  float least[kLanes];
  std::copy_n(counts, kLanes, least);
  for (std::size_t i = kLanes; i < std::size(counts); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; lane++) least[lane] = std::min(least[lane], counts[i + lane]);
  }
  const float all = std::min(std::min(least[0], least[1]), std::min(least[2], least[3]));
  std::size_t place = 0;
  while (place + 1 < std::size(counts) && counts[place] != all) place++;
  return place;
}

double probability(double logit) { return 1 / (1 + std::exp(-logit)); }

// Features whose bins are taken together, too.
enum Feature {
  kAge,
  kMeanGap,
  kLeastGap,
  kGapSpread,
  kLastGap,
  kCount1,
  kCount10,
  kCount60,
  kCount600,
  kHazard,
  kTrigger,
  kTriggerAge,
  kClient,
  kLoad,
  kLeadsTo,
  kLeadsToInRun
};
// The last ones have to do with runs.
constexpr std::size_t kPair[Arrivals::kPairs][2] = {
    {kAge, kMeanGap},         {kAge, kLastGap},          {kAge, kTrigger},         {kAge, kCount10},        {kHazard, kTrigger},
    {kLastGap, kHazard},      {kAge, kHazard},           {kAge, kCount1},          {kTrigger, kTriggerAge}, {kLeastGap, kLastGap},
    {kMeanGap, kGapSpread},   {kCount10, kCount600},     {kLeadsTo, kAge},         {kLeadsTo, kHazard},     {kLeadsToInRun, kAge},
    {kLeadsToInRun, kHazard}, {kLeadsToInRun, kTrigger}, {kLeadsToInRun, kLeadsTo}};
constexpr std::uint32_t kAll = 1;  // the run of all that comes

}  // namespace

Arrivals::Arrivals(const Options& options)
    : options_(options),
      table_(std::bit_ceil(std::size_t{2} * std::max<std::uint32_t>(options.keys, 8)), kNone),
      clients_(kClients),
      in_runs_{Followers(options.within, options.seed), {}, {}},
      in_all_{Followers(options.within, options.seed), {}, {}},
      weights_(kWeights),
      squares_(kWeights, 0.01F),
      state_(options.seed) {}

std::uint64_t Arrivals::random() { return mixed(state_ += 0x9e3779b97f4a7c15ull); }

// ---- keys ----------------------------------------------------------------------------------------------------------

std::uint32_t Arrivals::find(std::uint64_t key) const {
  const std::size_t mask = table_.size() - 1;
  for (std::size_t place = mixed(key) & mask;; place = (place + 1) & mask) {
    const std::uint32_t at = table_[place];
    if (at == kNone || entries_[at].key == key) return at;
  }
}

std::uint32_t Arrivals::claim(std::uint64_t key, double now) {
  std::uint32_t at;
  if (used_ < options_.keys && unused_.empty()) {
    at = static_cast<std::uint32_t>(entries_.size());
    entries_.emplace_back();
    places_.emplace_back();
  } else {
    if (unused_.empty()) {
      // Of some, the one asked for least: near to space-saving (Metwally et al., ICDT 2005) without its lists.
      std::uint32_t least = kNone;
      for (int i = 0; i < 8; i++) {
        const auto other = static_cast<std::uint32_t>(random() % entries_.size());
        if (places_[other].live && (least == kNone || entries_[other].rank < entries_[least].rank)) least = other;
      }
      evict(least);
    }
    at = unused_.back();
    unused_.pop_back();
  }
  Entry& entry = entries_[at];
  entry = Entry{};
  std::fill_n(entry.successors.entry, kSuccessors, kNone);
  entry.key = key;
  entry.counted = now;
  Place& place = places_[at];
  place = {.last = 0, .epoch = place.epoch + 1, .live = true};
  used_++;
  const std::size_t mask = table_.size() - 1;
  std::size_t slot = mixed(key) & mask;
  while (table_[slot] != kNone) slot = (slot + 1) & mask;
  table_[slot] = at;
  return at;
}

void Arrivals::evict(std::uint32_t at) {
  const std::size_t mask = table_.size() - 1;
  std::size_t hole = mixed(entries_[at].key) & mask;
  while (table_[hole] != at) hole = (hole + 1) & mask;
  // What stands behind moves up, so that no search ends too soon.
  for (std::size_t place = (hole + 1) & mask; table_[place] != kNone; place = (place + 1) & mask) {
    const std::size_t home = mixed(entries_[table_[place]].key) & mask;
    if (((place - home) & mask) < ((place - hole) & mask)) continue;
    table_[hole] = table_[place];
    hole = place;
  }
  table_[hole] = kNone;
  unlink(at);
  places_[at].live = false;
  unused_.push_back(at);
  used_--;
}

void Arrivals::unlink(std::uint32_t at) {
  Place& place = places_[at];
  if (place.newer != kNone) places_[place.newer].older = place.older;
  if (place.older != kNone) places_[place.older].newer = place.newer;
  if (newest_ == at) newest_ = place.older;
  place.newer = place.older = kNone;
}

void Arrivals::touch(std::uint32_t at) {
  if (newest_ == at) return;
  unlink(at);
  places_[at].older = newest_;
  if (newest_ != kNone) places_[newest_].newer = at;
  newest_ = at;
}

// ---- what comes ----------------------------------------------------------------------------------------------------

void Arrivals::count(Entry& entry, double now) const {
  const double passed = now - entry.counted;
  for (std::size_t i = 0; i < kSpans; i++) entry.counts[i] *= static_cast<float>(std::exp(-passed / kSpanSeconds[i]));
  entry.counted = now;
}

// What stays until it is asked for again.
void Arrivals::know(Entry& entry) const {
  const std::size_t known = std::min<std::size_t>(entry.seen == 0 ? 0 : entry.seen - 1, kGaps);
  double mean = kFar;
  double spread = 0;
  double least = kFar;
  if (known > 0) {
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 0; i < known; i++) {
      const double gap = entry.gaps[i];
      sum += gap;
      squares += gap * gap;
      least = std::min(least, gap);
    }
    mean = sum / static_cast<double>(known);
    spread = std::sqrt(std::max(0.0, squares / static_cast<double>(known) - mean * mean));
  }
  entry.gap_bins[0] = static_cast<std::uint8_t>(bin(mean, -8, 13));
  entry.gap_bins[1] = static_cast<std::uint8_t>(bin(least, -12, 12));
  entry.gap_bins[2] = static_cast<std::uint8_t>(bin(spread, 0, 8));
  entry.gap_bins[3] = static_cast<std::uint8_t>(bin(known > 0 ? entry.gaps[0] : kFar, -11, 13));
  for (std::size_t i = 0; i < kSpans; i++) entry.log_counts[i] = std::log2(entry.counts[i]);
  for (std::size_t i = 0; i < kGapBins; i++) entry.sums[i + 1] = entry.sums[i] + entry.histogram[i];
}

void Arrivals::arrived(std::uint64_t key, double time, std::uint32_t tier, std::uint32_t client, std::uint32_t run) {
  advance(time);
  const double now = now_;
  std::uint32_t at = find(key);
  if (at == kNone) at = claim(key, now);
  Entry& entry = entries_[at];
  if (entry.seen > 0) {
    const double gap = std::max(now - places_[at].last, kShortest);
    std::memmove(&entry.gaps[1], &entry.gaps[0], sizeof entry.gaps - sizeof entry.gaps[0]);
    entry.gaps[0] = static_cast<float>(std::log2(gap));
    for (float& mass : entry.histogram) mass *= kGapMemory;
    entry.histogram[std::min(static_cast<std::size_t>(gap_place(gap)), kGapBins - 1)] += 1;
  }
  count(entry, now);
  for (float& each : entry.counts) each += 1;
  for (float& each : entry.tiers) each *= kGapMemory;
  entry.tiers[std::min<std::uint32_t>(tier, kArrivalTiers - 1)] += 1;
  // log(exp(rank) + exp(now)), where a request counts e times as much an hour later.
  const double here = now / kRankSeconds;
  entry.rank = entry.seen == 0 ? here : std::max(entry.rank, here) + std::log1p(std::exp(-std::fabs(entry.rank - here)));
  places_[at].last = now;
  entry.seen++;
  know(entry);
  entry.client = client;
  touch(at);
  Client& asker = clients_[client & (kClients - 1)];
  asker.count = asker.count * static_cast<float>(std::exp(-(now - asker.counted))) + 1;
  asker.counted = now;
  const double passed = now - loaded_;
  load_[0] = load_[0] * static_cast<float>(std::exp(-passed)) + 1;
  load_[1] = load_[1] * static_cast<float>(std::exp(-passed / 10)) + 1;
  loaded_ = now;
  load_at_ = -1;
  follow(at, now);
  announce(entry, now);
  if (run != 0) in_runs_.of.arrived(run, key, {at, places_[at].epoch}, now);
  in_all_.of.arrived(kAll, key, {at, places_[at].epoch}, now);
  foreseen_at_ = kNever;
}

// It came soon after those that were asked for lately.
void Arrivals::follow(std::uint32_t at, double now) {
  const std::uint32_t epoch = places_[at].epoch;
  for (std::size_t i = 0; i < kRecent; i++) {
    const Recent& before = recent_[i];
    if (before.entry == kNone || before.entry == at || now - before.time > options_.within) continue;
    const Place& known = places_[before.entry];
    if (!known.live || known.epoch != before.epoch) continue;
    Entry& leader = entries_[before.entry];
    auto& after = leader.successors;
    // Without a branch for each: mostly it is none of them.
    std::uint32_t same = 0;
    for (std::size_t i = 0; i < kSuccessors; i++) same |= std::uint32_t{after.entry[i] == at && after.since[i] == epoch} << i;
    std::size_t place = same == 0 ? kSuccessors : static_cast<std::size_t>(std::countr_zero(same));
    if (place == kSuccessors) {
      // The rarest loses its place in time, as space-saving has it.
      place = rarest(after.count);
      if (after.count[place] > 0.5F) {
        after.count[place] -= 0.5F;
        continue;
      }
      after.entry[place] = at;
      after.since[place] = epoch;
      after.count[place] = 0;
    }
    after.count[place] += 1;
  }
  Entry& entry = entries_[at];
  entry.led = entry.led * kPairMemory + 1;
  for (float& each : entry.successors.count) each *= kPairMemory;
  recent_[recents_++ % kRecent] = {at, epoch, now};
}

// Those that often follow are expected now.
void Arrivals::announce(const Entry& entry, double now) {
  const auto& after = entry.successors;
  for (std::size_t i = 0; i < kSuccessors; i++) {
    if (after.entry[i] == kNone || after.count[i] < 1) continue;
    const Place& place = places_[after.entry[i]];
    if (!place.live || place.epoch != after.since[i]) continue;
    Entry& next = entries_[after.entry[i]];
    next.triggers[next.trigger_from++ % kTriggers] = {now, std::min(after.count[i] / (entry.led + 2), 0.999F)};
  }
}

// ---- features ------------------------------------------------------------------------------------------------------

double Arrivals::hazard(const Entry& entry, double age) const {
  const auto below = [&](double gap) {
    const double place = std::min(gap_place(gap), static_cast<double>(kGapBins));
    const auto whole = std::min(static_cast<std::size_t>(place), kGapBins - 1);
    return entry.sums[whole] + entry.histogram[whole] * (place - static_cast<double>(whole));
  };
  const double so_far = below(std::max(age, kShortest));
  return (below(age + options_.within) - so_far + 0.02) / (entry.sums[kGapBins] - so_far + 1);
}

double Arrivals::triggered(const Entry& entry, double now, double& latest) const {
  double none = 1;
  latest = -1e18;
  for (const auto& trigger : entry.triggers) {
    if (now - trigger.time > options_.within) continue;
    none *= 1 - static_cast<double>(trigger.chance);
    latest = std::max(latest, trigger.time);
  }
  return 1 - none;
}

// Once for all keys of a moment.
void Arrivals::foresee(double now) {
  if (foreseen_at_ == now) return;
  foreseen_at_ = now;
  foresee(in_all_, now);
  foresee(in_runs_, now);
}

void Arrivals::foresee(Ahead& ahead, double now) const {
  for (const std::uint32_t at : ahead.told) ahead.chances[at] = 0;
  ahead.told.clear();
  ahead.chances.resize(entries_.size());
  for (const auto& [item, chance] : ahead.of.expected(now)) {
    if (!places_[item.index].live || places_[item.index].epoch != item.epoch) continue;
    ahead.chances[item.index] = static_cast<float>(chance);
    ahead.told.push_back(item.index);
  }
}

Arrivals::Terms Arrivals::terms_of(std::uint32_t at, double now) const {
  const Entry& entry = entries_[at];
  const double age = std::max(now - places_[at].last, 0.0);
  const double passed = now - entry.counted;
  const auto counted = [&](std::size_t span) { return entry.log_counts[span] - passed * (std::numbers::log2e / kSpanSeconds[span]); };
  double latest;
  const double trigger = triggered(entry, now, latest);
  std::uint32_t bins[kFeatures];
  bins[kAge] = bin(std::log2(age + kShortest), -10, 13);
  for (std::size_t i = 0; i < 4; i++) bins[kMeanGap + i] = entry.gap_bins[i];
  bins[kCount1] = bin(counted(0), -10, 6);
  bins[kCount10] = bin(counted(1), -10, 8);
  bins[kCount60] = bin(counted(2), -10, 9);
  bins[kCount600] = bin(counted(3), -8, 11);
  bins[kHazard] = bin(log_odds(hazard(entry, age)), -8, 3);
  // The first bin is for none.
  const auto some = [](std::uint32_t place) { return 1 + std::min<std::uint32_t>(place, kBins - 2); };
  bins[kTrigger] = trigger > 0 ? some(bin(log_odds(trigger), -7, 4)) : 0;
  bins[kTriggerAge] = trigger > 0 ? some(bin(std::log2(now - latest + kShortest), -10, 0)) : 0;
  bins[kClient] = 0;
  if (entry.client != 0) {
    const Client& client = clients_[entry.client & (kClients - 1)];
    bins[kClient] = some(bin(std::log2(client.count) - (now - client.counted) * std::numbers::log2e, -10, 8));
  }
  if (load_at_ != now) {
    load_at_ = now;
    const double second = load_[0] * std::exp(loaded_ - now) + 0.1;
    load_bin_ = bin(std::log2(second / (load_[1] * std::exp((loaded_ - now) / 10) / 10 + 0.1)), -4, 4);
  }
  bins[kLoad] = load_bin_;
  const auto led = [&](const Ahead& ahead) {
    const double chance = at < ahead.chances.size() ? static_cast<double>(ahead.chances[at]) : 0;
    return chance > 0 ? some(bin(log_odds(chance), -7, 7)) : 0;
  };
  bins[kLeadsTo] = led(in_all_);
  bins[kLeadsToInRun] = led(in_runs_);
  Terms terms;
  const auto single = [&](std::size_t i) { return static_cast<std::uint32_t>(i * kBins + bins[i]); };
  for (std::size_t i = 0; i < kLeadsToInRun; i++) terms.at[i] = single(i);
  for (std::size_t i = 0; i < kPairs; i++) {
    const std::size_t place = (i * kBins + bins[kPair[i][0]]) * kBins + bins[kPair[i][1]];
    terms.at[kLeadsToInRun + i] = static_cast<std::uint32_t>(kFeatures * kBins + place);
  }
  terms.at[kTerms - 1] = single(kLeadsToInRun);
  return terms;
}

// ---- scores --------------------------------------------------------------------------------------------------------

double Arrivals::logit(const Terms& terms) const {
  double sum = bias_;
  for (const std::uint32_t at : std::span(terms.at).first(terms_in_use())) sum += weights_[at];
  return std::clamp(sum, -20.0, 20.0);
}

double Arrivals::calibrated(double logit) const {
  const double plain = probability(logit);
  // Between the middles of two bins, so that there is no step.
  const double place = std::clamp((logit + 12) * (kScores / 16.0) - 0.5, 0.0, kScores - 1.001);
  const auto low = static_cast<std::size_t>(place);
  const auto ratio = [&](std::size_t i) { return (came_[i] + kCalibration * plain) / (said_[i] + kCalibration * plain); };
  const double part = place - static_cast<double>(low);
  return std::min(kSurest, plain * ((1 - part) * ratio(low) + part * ratio(low + 1)));
}

double Arrivals::chance(std::uint32_t at, double now) const { return calibrated(logit(terms_of(at, now))); }

double Arrivals::score(std::uint64_t key, double time) {
  advance(time);
  const std::uint32_t at = find(key);
  if (at == kNone) return 0;
  foresee(now_);
  return chance(at, now_);
}

double Arrivals::score(std::uint64_t key, double time, std::uint32_t tier) {
  const double any = score(key, time);
  const std::uint32_t at = find(key);
  if (at == kNone) return 0;
  float all = 0;
  float those = 0;
  for (std::uint32_t i = 0; i < kArrivalTiers; i++) {
    all += entries_[at].tiers[i];
    if (i >= tier) those += entries_[at].tiers[i];
  }
  return all > 0 ? any * those / all : 0;
}

std::size_t Arrivals::likely(double time, double least, std::span<Likely> out) {
  advance(time);
  foresee(now_);
  std::size_t found = 0;
  const auto worse = [](const Likely& a, const Likely& b) { return a.score > b.score; };
  std::size_t walked = 0;
  for (std::uint32_t at = newest_; at != kNone && walked < kWalked; at = places_[at].older, walked++) {
    const double score = chance(at, now_);
    if (score < least || out.empty()) continue;
    if (found < out.size()) {
      out[found++] = {entries_[at].key, score};
      std::push_heap(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(found), worse);
    } else if (score > out.front().score) {
      std::pop_heap(out.begin(), out.end(), worse);
      out.back() = {entries_[at].key, score};
      std::push_heap(out.begin(), out.end(), worse);
    }
  }
  std::sort_heap(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(found), worse);
  return found;
}

// ---- learning ------------------------------------------------------------------------------------------------------

void Arrivals::advance(double given) {
  const double time = std::clamp(given, -kEver, kEver);
  if (!began_) {
    began_ = true;
    now_ = time;
    loaded_ = time;
    next_sample_ = time + kSampleEvery;
  }
  if (!(time > now_)) return;
  // No more moments than can matter after a long silence.
  if (time - next_sample_ > 64 * kSampleEvery) {
    settle(next_sample_);
    sample(next_sample_);
    next_sample_ = time - 32 * kSampleEvery;
  }
  while (next_sample_ <= time) {
    settle(next_sample_);
    sample(next_sample_);
    next_sample_ += -kSampleEvery * std::log(1 - uniform());
  }
  settle(time);
  now_ = time;
}

// Some keys as they are now: those asked for lately, and some others, each for as many as it stands for.
void Arrivals::sample(double now) {
  if (used_ == 0) return;
  foresee(now);
  const double part = std::min(1.0, static_cast<double>(kSampledLately) / std::max(active_, 1.0));
  std::size_t active = 0;
  for (std::uint32_t at = newest_; at != kNone && active < kWalked && now - places_[at].last < kLately; at = places_[at].older) {
    active++;
    if (part == 1 || uniform() < part) take(at, now, 1 / part);
  }
  active_ = static_cast<double>(active);
  const std::size_t others = used_ - std::min(active, used_);
  if (others == 0) return;
  const double weight = std::max(1.0, static_cast<double>(entries_.size()) / kSampledOthers);
  for (std::size_t i = 0; i < std::min(kSampledOthers, entries_.size()); i++) {
    const auto at =
        entries_.size() <= kSampledOthers ? static_cast<std::uint32_t>(i) : static_cast<std::uint32_t>(random() % entries_.size());
    if (places_[at].live && now - places_[at].last >= kLately) take(at, now, weight);
  }
}

void Arrivals::take(std::uint32_t at, double now, double weight) {
  if (entries_[at].seen < 2) return;
  const Terms terms = terms_of(at, now);
  due_.push_back({now, at, places_[at].epoch, static_cast<float>(std::min(weight, kHeaviest)), static_cast<float>(logit(terms)), terms});
}

void Arrivals::settle(double now) {
  while (first_due_ < due_.size() && due_[first_due_].time + options_.within <= now) {
    const Example& example = due_[first_due_++];
    const Place& place = places_[example.entry];
    if (place.live && place.epoch == example.epoch) learn(example, place.last > example.time);
  }
  if (first_due_ > 4096 && 2 * first_due_ > due_.size()) {
    due_.erase(due_.begin(), due_.begin() + static_cast<std::ptrdiff_t>(first_due_));
    first_due_ = 0;
  }
}

void Arrivals::learn(const Example& example, bool came) {
  examples_++;
  // What it would say now decides how it changes; what it said then, how it is calibrated.
  const auto error = static_cast<float>((probability(logit(example.terms)) - (came ? 1 : 0)) * example.weight);
  const float square = error * error;
  for (const std::uint32_t at : std::span(example.terms.at).first(terms_in_use())) {
    squares_[at] += square;
    weights_[at] -= kRate * error / std::sqrt(squares_[at]);
  }
  bias_square_ += square;
  bias_ -= kRate * error / std::sqrt(bias_square_);
  const double place = std::clamp((example.logit + 12) * (kScores / 16.0), 0.0, kScores - 1.0);
  const auto bin = static_cast<std::size_t>(place);
  const double kept = 1 - kForgotten * example.weight;
  said_[bin] = said_[bin] * kept + probability(example.logit) * example.weight;
  came_[bin] = came_[bin] * kept + (came ? example.weight : 0);
}

std::vector<float> Arrivals::save() const {
  std::vector<float> saved = {bias_, bias_square_};
  saved.insert(saved.end(), weights_.begin(), weights_.end());
  saved.insert(saved.end(), squares_.begin(), squares_.end());
  for (std::size_t i = 0; i < kScores; i++) {
    saved.push_back(static_cast<float>(said_[i]));
    saved.push_back(static_cast<float>(came_[i]));
  }
  return saved;
}

bool Arrivals::load(std::span<const float> saved) {
  if (saved.size() != kSaved) return false;
  if (!std::all_of(saved.begin(), saved.end(), [](float one) { return std::isfinite(one); })) return false;
  const auto squares = saved.subspan(2 + kWeights, kWeights);
  if (!(saved[1] > 0) || !std::all_of(squares.begin(), squares.end(), [](float one) { return one > 0; })) return false;
  bias_ = saved[0];
  bias_square_ = saved[1];
  std::copy_n(saved.begin() + 2, kWeights, weights_.begin());
  std::copy(squares.begin(), squares.end(), squares_.begin());
  for (std::size_t i = 0; i < kScores; i++) {
    said_[i] = std::max(0.0F, saved[2 + 2 * kWeights + 2 * i]);
    came_[i] = std::max(0.0F, saved[2 + 2 * kWeights + 2 * i + 1]);
  }
  return true;
}

}  // namespace forelock::predict
