// Which of many keys will be asked for within some time, as a calibrated probability. Each key keeps when it was asked for: its last gaps,
// decayed counts over four spans, a decayed histogram of gaps on a log scale (from which the chance of a renewal now follows, given how
// long ago the last one was), and which keys are asked for soon after it. These are put into bins; the score is a logistic sum of a weight
// for each bin and for some pairs of bins, which is learnt online (AdaGrad: Duchi, Hazan and Singer, JMLR 12, 2011) from samples of keys at
// random moments, half a decision late, when it is known what came; and recalibrated by what came of scores like it. What the last requests
// lead to is one feature more, and what those of a run lead to inside of it another (predict/followers.h).
//
// Of one thread. Times are seconds on a clock that does not go back; one that does is taken for standing still.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "predict/followers.h"

namespace forelock::predict {

inline constexpr std::size_t kSpans = 4;  // of decayed counts: 1, 10, 60, 600 s
inline constexpr std::size_t kArrivalTiers = 4;

class Arrivals {
 public:
  struct Options {
    std::uint32_t keys = 100'000;  // tracked at most: of more, those asked for most are kept
    double within = 0.5;           // s
    std::uint64_t seed = 1;
  };
  explicit Arrivals(const Options& options);

  // A key was asked for, in a tier, by a client (0: unknown), in a run (0: in none, or unknown).
  void arrived(std::uint64_t key, double now, std::uint32_t tier, std::uint32_t client, std::uint32_t run = 0);
  // Of a batch: what is needed of a key that comes a little later is brought near while those before it are counted. To find it, and then
  // to have it, are two misses, one behind the other; so there are two steps.
  void near(std::uint64_t key) const;
  void nearer(std::uint64_t key) const;

  // Goes on to a moment at which nothing came: what is due is learnt.
  void advance(double now);

  // P(it is asked for within the time from now on). A key that is not tracked has that of one never seen: 0.
  double score(std::uint64_t key, double now);
  // The same, by a request of this tier or a higher one.
  double score(std::uint64_t key, double now, std::uint32_t tier);

  // The keys most likely to be asked for, of the 4,096 that were asked for last, and of these those that were not for so long. How many.
  struct Likely {
    std::uint64_t key;
    double score;
  };
  std::size_t likely(double now, double least, std::span<Likely> out, double idle = 0);

  std::size_t tracked() const { return used_; }
  std::uint64_t examples() const { return examples_; }

  // What was learnt, apart from the keys.
  std::vector<float> save() const;
  bool load(std::span<const float> saved);

  static constexpr std::uint32_t kNone = 0xffffffff;
  static constexpr double kNever = -1e18;
  static constexpr std::size_t kGaps = 8;
  static constexpr std::size_t kGapBins = 40;
  static constexpr std::size_t kSuccessors = 16;
  static constexpr std::size_t kTriggers = 8;
  static constexpr std::size_t kRecent = 16;
  static constexpr std::size_t kBins = 32;  // of a feature
  static constexpr std::size_t kFeatures = 16;
  static constexpr std::size_t kPairs = 18;
  static constexpr std::size_t kOfRuns = 5;  // terms, the last ones: of no use before a run was told of
  static constexpr std::size_t kTerms = kFeatures + kPairs;
  static constexpr std::size_t kWeights = kFeatures * kBins + kPairs * kBins * kBins;
  static constexpr std::size_t kScores = 32;  // bins of recalibration
  static constexpr std::size_t kSaved = 2 + 2 * kWeights + 2 * kScores;

 private:
  // By lines of the cache: what a request changes, what it is told from, what follows, what announces it, and its gaps.
  struct alignas(64) Entry {
    std::uint64_t key = 0;
    double counted = 0;  // when the counts were decayed
    double rank = 0;     // one more such count, of an hour: what is asked for most stays
    float counts[kSpans] = {};
    std::uint32_t tag = kNone;  // what it is known by among successors
    std::uint32_t seen = 0;
    std::uint32_t client = 0;
    float led = 0;                   // decayed count of times that it could be followed
    std::uint8_t gap_bins[4] = {};   // of the features that only an arrival changes
    std::uint32_t trigger_from = 0;  // where the next one goes

    float gaps[kGaps] = {};         // log2 of s, the latest first
    float log_counts[kSpans] = {};  // log2 of the counts as they were counted
    float tiers[kArrivalTiers] = {};

    // Column by column: most are only looked for.
    struct Successors {
      std::uint32_t tag[kSuccessors];  // kNone: none
      float count[kSuccessors];
    } successors = {};

    struct Trigger {
      double time = -1e18;
      float chance = 0;
    } triggers[kTriggers];

    // Gaps count less with each that comes: not by lowering all, but by raising the next one.
    float histogram[kGapBins] = {};
    float gap_weight = 1;  // of the last one
    float gap_sum = 0;     // of all
  };
  // Of an entry what is looked at of many at once, apart from the rest, which is some 600 bytes.
  struct Place {
    double last = 0;               // when it was asked for
    std::uint32_t epoch = 0;       // how many keys had this place before
    std::uint32_t recent = kNone;  // where it is among those that were asked for lately; kNone: nobody has yet
    bool live = false;
  };
  // Who was asked for when, the latest last: each once, with kNone where it was before. To go through thousands of them by links from one
  // to the next would be to wait for memory at each.
  struct Recency {
    std::vector<std::uint32_t> entries;
    std::vector<double> times;
  };
  struct Terms {
    std::uint32_t at[kTerms];
  };
  struct Example {
    double time;
    std::uint32_t entry;
    std::uint32_t epoch;
    float weight;
    float logit;
    Terms terms;
  };
  // One that stands for so many as it was drawn.
  struct Drawn {
    std::uint32_t at;
    float weight;
  };
  // Beside each other, for both are wanted of each that is learnt from.
  struct Weight {
    float value = 0;
    float square = 0.01F;  // sum of the squares of its gradients
  };
  struct Client {
    float count = 0;
    double counted = 0;
  };

  // What is expected after what came, by entry.
  struct Ahead {
    Followers of;
    std::vector<float> chances;
    std::vector<std::uint32_t> told;  // entries that have one
  };

  std::uint32_t find(std::uint64_t key) const;
  std::uint32_t claim(std::uint64_t key, double now);
  void evict(std::uint32_t at);
  double rank(std::uint32_t at, double now) const;
  void touch(std::uint32_t at, double now);
  void tidy();
  void count(Entry& entry, double now) const;
  void gap(Entry& entry, double seconds) const;
  void know(Entry& entry) const;
  void follow(std::uint32_t at, double now);
  void announce(const Entry& entry, double now);
  Terms terms_of(std::uint32_t at, double now) const;
  void fetch(std::uint32_t at) const;
  double hazard(const Entry& entry, double age) const;
  double triggered(const Entry& entry, double now, double& latest) const;
  void foresee(double now);
  void foresee(Ahead& ahead, double now) const;
  std::size_t terms_in_use() const { return in_runs_.of.any() ? kTerms : kTerms - kOfRuns; }
  double logit(const Terms& terms) const;
  double calibrated(double logit) const;
  double chance(std::uint32_t at, double now) const;
  void sample(double now);
  void draw(double now);
  void take(std::uint32_t at, double now, float weight);
  void say(std::span<Example> examples) const;
  void learn(const Example& example, bool came);
  void settle(double now);
  std::uint64_t random();
  double uniform() { return static_cast<double>(random() >> 11) * 0x1p-53; }

  const Options options_;
  std::vector<Entry> entries_;
  std::vector<Place> places_;         // by entry
  std::vector<std::uint32_t> table_;  // open addressing
  std::vector<std::uint32_t> unused_;
  std::size_t used_ = 0;
  Recency recency_;
  std::vector<Client> clients_;
  struct Recent {
    std::uint32_t entry = kNone;
    std::uint32_t tag = kNone;
    double time = -1e18;
  } recent_[kRecent];
  std::size_t recents_ = 0;
  float load_[2] = {};
  double loaded_ = 0;
  mutable double load_at_ = -1;  // for which the bin is
  mutable std::uint32_t load_bin_ = 0;
  Ahead in_runs_, in_all_;
  double foreseen_at_ = kNever;
  double now_ = 0;
  bool began_ = false;

  std::vector<Weight> weights_;
  float bias_ = -6;
  float bias_square_ = 1;
  double said_[kScores] = {};
  double came_[kScores] = {};
  std::vector<std::uint32_t> walked_;
  std::vector<Drawn> drawn_;
  std::vector<Example> due_;
  std::size_t first_due_ = 0;
  double next_sample_ = 0;
  double active_ = 0;  // keys asked for lately, as last counted
  std::uint64_t examples_ = 0;
  std::uint64_t state_;
};

}  // namespace forelock::predict
