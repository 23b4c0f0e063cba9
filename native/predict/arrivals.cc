#include "predict/arrivals.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <numbers>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "predict/mixed.h"

namespace forelock::predict {

namespace {

// The counts and the rank: each the tenth, or sixth, of the one behind it.
constexpr double kSpanSeconds[kSpans] = {1, 10, 60, 600};
constexpr double kRankSeconds = 3600;  // over which being asked for counts when places are short
constexpr float kGapMemory = 0.97F;    // of a gap when the next comes
constexpr float kHeaviestGap = 1e20F;  // from which on all are made lighter
constexpr float kPairMemory = 0.995F;
constexpr double kShortest = 1e-4;      // s, of a gap
constexpr double kBinsPerOctave = 1.6;  // of gaps: 32 bins from 0.1 ms to 3 h
constexpr double kSampleEvery = 0.25;   // s, on average
constexpr double kLately = 30;          // s: a key asked for since is worth looking at more often
constexpr std::size_t kSampledLately = 128;
constexpr std::size_t kSampledOthers = 256;
constexpr std::size_t kRoomy = 1024;   // places of those asked for lately, beside two for each
constexpr std::size_t kWalked = 4096;  // keys at most, of a look through those asked for lately
constexpr std::size_t kAhead = 4;      // of these so many are brought near before they are looked at
constexpr std::size_t kDue = 16;       // examples ahead whose key is brought near
constexpr double kHeaviest = 64;       // weight of an example
constexpr float kRate = 0.06F;
constexpr double kCalibration = 20;  // what a bin of recalibration is believed to have seen
constexpr double kForgotten = 1e-4;  // of recalibration, by an example of weight 1
constexpr std::size_t kClients = 4096;
constexpr double kSurest = 0.9999;  // nothing is certain that was only learnt
constexpr double kEver = 1e12;      // s: beyond it a moment later would be the same number
constexpr double kFar = 14;         // log2 of s, for a gap that there is none of yet

double place_of_log(double log) { return (log - std::log2(kShortest)) * kBinsPerOctave; }
double gap_place(double gap) { return place_of_log(std::log2(std::max(gap, kShortest))); }

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

// Four at a time, on any machine that has vectors of 16 bytes.
constexpr std::size_t kLanes = 4;
using Words [[gnu::vector_size(16)]] = std::uint32_t;
using Floats [[gnu::vector_size(16)]] = float;

template <typename Vector, typename Number>
Vector four(const Number* from) {
  Vector loaded;
  std::memcpy(&loaded, from, sizeof loaded);
  return loaded;
}

// A bit for each of the places at which it holds. Without a branch for each: mostly it does not.
template <typename Vector, typename Number, std::size_t N, typename Test>
std::uint32_t places_where(const Number (&numbers)[N], Test test) {
  static_assert(N == 4 * kLanes);
  Words holds[kLanes];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kLanes; i++) holds[i] = reinterpret_cast<Words>(test(four<Vector>(numbers + i * kLanes)));
#if defined(__SSE2__)
  const auto packed = [&](std::size_t i) {
    return _mm_packs_epi32(std::bit_cast<__m128i>(holds[i]), std::bit_cast<__m128i>(holds[i + 1]));
  };
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(packed(0), packed(2))));
#else
  Words found = {};
  Words bits = {1, 2, 4, 8};
  for (std::size_t i = 0; i < kLanes; i++, bits <<= kLanes) found |= holds[i] & bits;
  return found[0] | found[1] | found[2] | found[3];
#endif
}

std::size_t first_of(std::uint32_t places) { return static_cast<std::size_t>(__builtin_ctz(places)); }

// The places of the least. One behind the other each would wait for the one before, and it is asked for sixteen times a request.
std::uint32_t rarest(const float (&counts)[Arrivals::kSuccessors]) {
  const auto least = [](Floats a, Floats b) { return a < b ? a : b; };
  const Floats each =
      least(least(four<Floats>(counts), four<Floats>(counts + 4)), least(four<Floats>(counts + 8), four<Floats>(counts + 12)));
  const float wanted = std::min(std::min(each[0], each[1]), std::min(each[2], each[3]));
  return places_where<Floats>(counts, [&](Floats some) { return some == wanted; });
}

// What lies in front of a place, and between it and another.
struct Parts {
  float below;
  float between;
};

template <std::size_t N>
Parts parts_of(const float (&numbers)[N], std::size_t from, std::size_t to) {
  static_assert(N % kLanes == 0);
  const auto first = static_cast<std::uint32_t>(from);
  const auto last = static_cast<std::uint32_t>(to);
  Words at = {0, 1, 2, 3};
  Floats below = {};
  Floats both = {};
  for (std::size_t i = 0; i < N; i += kLanes, at += kLanes) {
    const auto bits = four<Words>(numbers + i);
    below += reinterpret_cast<Floats>(bits & reinterpret_cast<Words>(at < first));
    both += reinterpret_cast<Floats>(bits & reinterpret_cast<Words>(at < last));
  }
  const auto sum = [](Floats each) { return (each[0] + each[1]) + (each[2] + each[3]); };
  return {sum(below), sum(both - below)};
}

double tenth(double x) {
  const double x2 = x * x;
  const double x4 = x2 * x2;
  return x4 * x4 * x2;
}

double sixth(double x) {
  const double x2 = x * x;
  return x2 * x2 * x2;
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

// Where it is, and the low bits of how many had the place before: one in 256 times that a place is given away somebody may be taken for who
// had it, by who remembers that one still.
constexpr std::uint32_t kPlaceBits = 24;
constexpr std::uint32_t kPlaces = (1U << kPlaceBits) - 1;
std::uint32_t tag_of(std::uint32_t at, std::uint32_t epoch) { return at | epoch << kPlaceBits; }
std::uint32_t place_in(std::uint32_t tag) { return tag & kPlaces; }

}  // namespace

Arrivals::Arrivals(const Options& options)
    : options_{std::min(options.keys, kPlaces), options.within, options.seed},
      table_(std::bit_ceil(std::size_t{2} * std::max<std::uint32_t>(options.keys, 8)), kNone),
      clients_(kClients),
      in_runs_{Followers(options.within, options.seed), {}, {}},
      in_all_{Followers(options.within, options.seed), {}, {}},
      weights_(kWeights),
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
        if (places_[other].live && (least == kNone || rank(other, now) < rank(least, now))) least = other;
      }
      evict(least);
    }
    at = unused_.back();
    unused_.pop_back();
  }
  Entry& entry = entries_[at];
  entry = Entry{};
  std::fill_n(entry.successors.tag, kSuccessors, kNone);
  entry.key = key;
  entry.counted = now;
  Place& place = places_[at];
  place = {.last = 0, .epoch = place.epoch + 1, .live = true};
  entry.tag = tag_of(at, place.epoch);
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
  Place& place = places_[at];
  if (place.recent != kNone) recency_.entries[place.recent] = kNone;
  place.recent = kNone;
  place.live = false;
  entries_[at].tag = kNone;
  unused_.push_back(at);
  used_--;
}

void Arrivals::touch(std::uint32_t at, double now) {
  auto& [entries, times] = recency_;
  std::uint32_t& recent = places_[at].recent;
  if (recent != kNone && recent + std::size_t{1} == entries.size()) {
    times.back() = now;
    return;
  }
  if (recent != kNone) entries[recent] = kNone;
  if (entries.size() >= kRoomy + 2 * used_) tidy();
  recent = static_cast<std::uint32_t>(entries.size());
  entries.push_back(at);
  times.push_back(now);
}

// Half of the places or more are of what has moved on.
void Arrivals::tidy() {
  auto& [entries, times] = recency_;
  std::size_t kept = 0;
  for (std::size_t from = 0; from < entries.size(); from++) {
    const std::uint32_t at = entries[from];
    if (at == kNone) continue;
    entries[kept] = at;
    times[kept] = times[from];
    places_[at].recent = static_cast<std::uint32_t>(kept++);
  }
  entries.resize(kept);
  times.resize(kept);
}

double Arrivals::rank(std::uint32_t at, double now) const {
  return entries_[at].rank * std::exp((entries_[at].counted - now) / kRankSeconds);
}

// ---- what comes ----------------------------------------------------------------------------------------------------

void Arrivals::near(std::uint64_t key) const { __builtin_prefetch(&table_[mixed(key) & (table_.size() - 1)]); }

void Arrivals::nearer(std::uint64_t key) const {
  // Behind another one in the table, it is not near, and no more is lost.
  const std::uint32_t at = table_[mixed(key) & (table_.size() - 1)];
  if (at == kNone) return;
  __builtin_prefetch(&places_[at], 1);
  const auto* line = reinterpret_cast<const char*>(&entries_[at]);
  for (std::size_t from = 0; from < offsetof(Entry, triggers); from += 64) __builtin_prefetch(line + from, 1);
  for (std::size_t from = offsetof(Entry, histogram); from < sizeof(Entry); from += 64) __builtin_prefetch(line + from, 1);
}

void Arrivals::count(Entry& entry, double now) const {
  // Powers of one another: one exponential for all.
  const double hour = std::exp((entry.counted - now) / kRankSeconds);
  const double kept600 = sixth(hour);
  const double kept60 = tenth(kept600);
  const double kept10 = sixth(kept60);
  entry.rank *= hour;
  entry.counts[0] *= static_cast<float>(tenth(kept10));
  entry.counts[1] *= static_cast<float>(kept10);
  entry.counts[2] *= static_cast<float>(kept60);
  entry.counts[3] *= static_cast<float>(kept600);
  entry.counted = now;
}

void Arrivals::gap(Entry& entry, double seconds) const {
  std::memmove(&entry.gaps[1], &entry.gaps[0], sizeof entry.gaps - sizeof entry.gaps[0]);
  const double log = std::log2(seconds);
  entry.gaps[0] = static_cast<float>(log);
  entry.gap_weight /= kGapMemory;
  entry.histogram[std::min(static_cast<std::size_t>(place_of_log(log)), kGapBins - 1)] += entry.gap_weight;
  entry.gap_sum += entry.gap_weight;
  if (entry.gap_weight < kHeaviestGap) return;
  for (float& mass : entry.histogram) mass /= entry.gap_weight;
  entry.gap_sum /= entry.gap_weight;
  entry.gap_weight = 1;
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
}

void Arrivals::arrived(std::uint64_t key, double time, std::uint32_t tier, std::uint32_t client, std::uint32_t run) {
  advance(time);
  const double now = now_;
  std::uint32_t at = find(key);
  if (at == kNone) at = claim(key, now);
  Entry& entry = entries_[at];
  if (entry.seen > 0) gap(entry, std::max(now - places_[at].last, kShortest));
  count(entry, now);
  for (float& each : entry.counts) each += 1;
  for (float& each : entry.tiers) each *= kGapMemory;
  entry.tiers[std::min<std::uint32_t>(tier, kArrivalTiers - 1)] += 1;
  entry.rank += 1;
  places_[at].last = now;
  entry.seen++;
  know(entry);
  entry.client = client;
  touch(at, now);
  Client& asker = clients_[client & (kClients - 1)];
  asker.count = asker.count * static_cast<float>(std::exp(-(now - asker.counted))) + 1;
  asker.counted = now;
  const double passed = now - loaded_;
  const double kept = std::exp(-passed / 10);
  load_[0] = load_[0] * static_cast<float>(tenth(kept)) + 1;
  load_[1] = load_[1] * static_cast<float>(kept) + 1;
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
  Entry& entry = entries_[at];
  for (const Recent& before : recent_) {
    if (before.entry == kNone || before.entry == at || now - before.time > options_.within) continue;
    Entry& leader = entries_[before.entry];
    if (leader.tag != before.tag) continue;
    auto& after = leader.successors;
    // What becomes of it nobody can guess, and a wrong guess costs more than all that may: so it is chosen by number, not by a branch.
    const std::uint32_t found = places_where<Words>(after.tag, [&](Words some) { return some == entry.tag; });
    const bool is_known = found != 0;
    const std::uint32_t places[] = {rarest(after.count), found};
    const std::size_t place = first_of(places[is_known]);
    const float count = after.count[place];
    // The rarest loses its place in time, as space-saving has it.
    const bool stays = is_known || count > 0.5F;
    const std::uint32_t tags[] = {entry.tag, after.tag[place]};
    const float counts[] = {1, count - 0.5F, count + 1};
    after.tag[place] = tags[stays];
    after.count[place] = counts[stays + is_known];
  }
  entry.led = entry.led * kPairMemory + 1;
  for (float& each : entry.successors.count) each *= kPairMemory;
  recent_[recents_++ % kRecent] = {at, entry.tag, now};
}

// Those that often follow are expected now.
void Arrivals::announce(const Entry& entry, double now) {
  const auto& after = entry.successors;
  for (std::uint32_t often = places_where<Floats>(after.count, [](Floats some) { return some >= 1; }); often != 0; often &= often - 1) {
    const std::size_t i = first_of(often);
    Entry& next = entries_[place_in(after.tag[i])];
    if (next.tag != after.tag[i]) continue;
    next.triggers[next.trigger_from++ % kTriggers] = {now, std::min(after.count[i] / (entry.led + 2), 0.999F)};
  }
}

// ---- features ------------------------------------------------------------------------------------------------------

double Arrivals::hazard(const Entry& entry, double age) const {
  const auto placed = [](double gap) { return std::min(gap_place(gap), static_cast<double>(kGapBins)); };
  const auto whole = [](double place) { return std::min(static_cast<std::size_t>(place), kGapBins - 1); };
  const double from = placed(age);
  const double to = placed(age + options_.within);
  const std::size_t first = whole(from);
  const std::size_t last = whole(to);
  const auto [below, between] = parts_of(entry.histogram, first, last);
  const double ahead = entry.histogram[first] * (from - static_cast<double>(first));
  const double so_far = below + ahead;
  const double soon = between - ahead + entry.histogram[last] * (to - static_cast<double>(last));
  return (std::max(soon, 0.0) + 0.02 * entry.gap_weight) / (std::max(entry.gap_sum - so_far, 0.0) + entry.gap_weight);
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
  for (const std::uint32_t at : std::span(terms.at).first(terms_in_use())) sum += weights_[at].value;
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

std::size_t Arrivals::likely(double time, double least, std::span<Likely> out, double idle) {
  advance(time);
  foresee(now_);
  if (out.empty()) return 0;
  walked_.clear();
  std::size_t walked = 0;
  for (std::size_t from = recency_.entries.size(); from-- > 0 && walked < kWalked;) {
    const std::uint32_t at = recency_.entries[from];
    if (at == kNone) continue;
    walked++;
    if (now_ - recency_.times[from] >= idle) walked_.push_back(at);
  }
  std::size_t found = 0;
  const auto worse = [](const Likely& a, const Likely& b) { return a.score > b.score; };
  for (std::size_t i = 0; i < walked_.size(); i++) {
    if (i + kAhead < walked_.size()) fetch(walked_[i + kAhead]);
    const std::uint32_t at = walked_[i];
    const double score = chance(at, now_);
    if (score < least) continue;
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

// What a score is made of, before it is asked for.
void Arrivals::fetch(std::uint32_t at) const {
  const auto* line = reinterpret_cast<const char*>(&entries_[at]);
  __builtin_prefetch(line);
  for (std::size_t from = offsetof(Entry, gaps); from < offsetof(Entry, successors); from += 64) __builtin_prefetch(line + from);
  for (std::size_t from = offsetof(Entry, triggers); from < sizeof(Entry); from += 64) __builtin_prefetch(line + from);
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

// Some keys as they are now.
void Arrivals::sample(double now) {
  if (used_ == 0) return;
  foresee(now);
  draw(now);
  const std::size_t before = due_.size();
  for (std::size_t i = 0; i < drawn_.size(); i++) {
    if (i + kAhead < drawn_.size()) fetch(drawn_[i + kAhead].at);
    take(drawn_[i].at, now, drawn_[i].weight);
  }
  say(std::span(due_).subspan(before));
}

// Of those asked for lately some, and of the others some, each for as many as it stands for.
void Arrivals::draw(double now) {
  const double part = std::min(1.0, static_cast<double>(kSampledLately) / std::max(active_, 1.0));
  const auto lately = static_cast<float>(std::min(1 / part, kHeaviest));
  // As uniform() < part, of which both sides are whole in these units.
  const auto below = static_cast<std::uint64_t>(std::ceil(part * 0x1p53));
  drawn_.resize(kWalked + kSampledOthers);
  std::size_t count = 0;
  std::size_t active = 0;
  for (std::size_t from = recency_.entries.size(); from-- > 0 && active < kWalked;) {
    const std::uint32_t at = recency_.entries[from];
    if (at == kNone) continue;
    if (!(now - recency_.times[from] < kLately)) break;
    active++;
    // Written in any case: whether it is one nobody can guess.
    drawn_[count] = {at, lately};
    count += part == 1 || random() >> 11 < below ? 1 : 0;
  }
  active_ = static_cast<double>(active);
  if (active < used_) {
    const auto weight = static_cast<float>(std::clamp(static_cast<double>(entries_.size()) / kSampledOthers, 1.0, kHeaviest));
    for (std::size_t i = 0; i < std::min(kSampledOthers, entries_.size()); i++) {
      const auto at =
          entries_.size() <= kSampledOthers ? static_cast<std::uint32_t>(i) : static_cast<std::uint32_t>(random() % entries_.size());
      if (places_[at].live && now - places_[at].last >= kLately) drawn_[count++] = {at, weight};
    }
  }
  drawn_.resize(count);
}

void Arrivals::take(std::uint32_t at, double now, float weight) {
  if (entries_[at].seen < 2) return;
  due_.push_back({now, at, places_[at].epoch, weight, 0, terms_of(at, now)});
}

// What is said of examples now. Four sums at a time: one alone waits for each weight before the next.
void Arrivals::say(std::span<Example> examples) const {
  for (; examples.size() >= kLanes; examples = examples.subspan(kLanes)) {
    double sums[kLanes] = {bias_, bias_, bias_, bias_};
    for (std::size_t i = 0; i < terms_in_use(); i++) {
      for (std::size_t lane = 0; lane < kLanes; lane++) sums[lane] += weights_[examples[lane].terms.at[i]].value;
    }
    for (std::size_t lane = 0; lane < kLanes; lane++) examples[lane].logit = static_cast<float>(std::clamp(sums[lane], -20.0, 20.0));
  }
  for (Example& example : examples) example.logit = static_cast<float>(logit(example.terms));
}

void Arrivals::settle(double now) {
  while (first_due_ < due_.size() && due_[first_due_].time + options_.within <= now) {
    if (first_due_ + kDue < due_.size()) __builtin_prefetch(&places_[due_[first_due_ + kDue].entry]);
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
    Weight& weight = weights_[at];
    weight.square += square;
    weight.value -= kRate * error / std::sqrt(weight.square);
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
  for (const Weight& weight : weights_) saved.push_back(weight.value);
  for (const Weight& weight : weights_) saved.push_back(weight.square);
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
  for (std::size_t i = 0; i < kWeights; i++) weights_[i] = {saved[2 + i], squares[i]};
  for (std::size_t i = 0; i < kScores; i++) {
    said_[i] = std::max(0.0F, saved[2 + 2 * kWeights + 2 * i]);
    came_[i] = std::max(0.0F, saved[2 + 2 * kWeights + 2 * i + 1]);
  }
  return true;
}

}  // namespace forelock::predict
