#include "predict/smoothing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "predict/pair.h"
#include "predict/range.h"

namespace forelock::predict {

namespace {

// As it was before the first value, told from the first two periods: their means, and how each step differs from its own mean.
struct Start {
  Start(std::span<const double> y, std::uint32_t period) : level(y[0]), season(period) {
    if (period == 0) return;
    double means[2] = {};
    for (std::size_t i = 0; i < 2 * season.size(); i++) means[i / season.size()] += y[i] / static_cast<double>(period);
    for (std::size_t i = 0; i < season.size(); i++) season[i] = ((y[i] - means[0]) + (y[i + season.size()] - means[1])) / 2;
    slope = (means[1] - means[0]) / static_cast<double>(period);
    level = means[0] - slope * static_cast<double>(season.size() + 1) / 2;
  }

  // Values of which it is not looked how far off they were.
  std::size_t skipped() const { return std::max<std::size_t>(season.size(), 1); }

  double level;
  double slope = 0;
  std::vector<double> season;
};

// What is known after some values by several settings side by side: in one alone each step waits for the one before.
template <std::size_t kPairs>
class Lines {
 public:
  static constexpr std::size_t kLines = 2 * kPairs;

  Lines(const Start& start, const std::array<Smoothing, kLines>& settings) : season_(start.season.size() * kLines) {
    for (std::size_t line = 0; line < kLines; line++) {
      const auto& [level, trend, season, damping] = settings[line];
      const std::size_t p = line / 2;
      const std::size_t q = line % 2;
      of_level_[p][q] = level;
      of_trend_[p][q] = level * trend;
      of_season_[p][q] = season * (1 - level);
      damping_[p][q] = damping;
      level_[p][q] = start.level;
      trend_[p][q] = trend > 0 ? start.slope : 0;
      for (std::size_t i = 0; i < start.season.size(); i++) season_[i * kLines + line] = start.season[i];
    }
  }

  // Goes on by some values. The squares of how far off each line was one step ahead are added up, or not.
  template <bool kCounts>
  void run(std::span<const double> y) {
    Pair level[kPairs];
    Pair trend[kPairs];
    Pair squares[kPairs];
    std::copy_n(level_, kPairs, level);
    std::copy_n(trend_, kPairs, trend);
    std::copy_n(squares_, kPairs, squares);
    const bool has_season = !season_.empty();
    std::size_t place = place_;
    for (const double value : y) {
#pragma GCC unroll 4
      for (std::size_t p = 0; p < kPairs; p++) {
        double* season = has_season ? &season_[place + 2 * p] : nullptr;
        const Pair seasonal = has_season ? pair_at(season) : Pair{};
        const Pair drift = damping_[p] * trend[p];
        const Pair error = value - (level[p] + drift + seasonal);
        if (kCounts) squares[p] += error * error;
        level[p] += drift + of_level_[p] * error;
        trend[p] = drift + of_trend_[p] * error;
        if (has_season) put(seasonal + of_season_[p] * error, season);
      }
      if (has_season && (place += kLines) == season_.size()) place = 0;
    }
    place_ = place;
    std::copy_n(level, kPairs, level_);
    std::copy_n(trend, kPairs, trend_);
    std::copy_n(squares, kPairs, squares_);
  }

  double squares(std::size_t line) const { return squares_[line / 2][line % 2]; }

  void forecast(std::size_t line, std::span<double> out) const {
    const std::size_t p = line / 2;
    const std::size_t q = line % 2;
    double damped = 0;
    double power = 1;
    std::size_t place = place_;
    for (double& next : out) {
      power *= damping_[p][q];
      damped += power;
      next = level_[p][q] + damped * trend_[p][q] + (season_.empty() ? 0 : season_[place + line]);
      if (!season_.empty() && (place += kLines) == season_.size()) place = 0;
    }
  }

 private:
  Pair of_level_[kPairs], of_trend_[kPairs], of_season_[kPairs], damping_[kPairs];
  Pair level_[kPairs], trend_[kPairs];
  Pair squares_[kPairs] = {};
  std::vector<double> season_;  // by step, and then by line
  std::size_t place_ = 0;
};

bool is_enough(std::size_t length, std::uint32_t period) { return length >= std::max<std::size_t>(3, std::size_t{2} * period); }

void scale(std::span<const double> values, const Range& range, std::vector<double>& y) {
  const std::size_t from = y.size();
  y.resize(values.size());
  for (std::size_t i = from; i < values.size(); i++) y[i] = range.into(values[i]);
}

constexpr std::array kLevels = {0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9};
constexpr double kTrends[] = {0.02, 0.1, 0.3};
constexpr double kSeasons[] = {0.02, 0.1, 0.25, 0.5};
constexpr double kDampings[] = {0.9, 0.98};
constexpr double kNone[] = {0};
constexpr double kUndamped[] = {1};
constexpr double kWidths[] = {1.5, 1.2};  // of finer steps about the best
constexpr double kMost = 0.999;

// The best of the settings that were tried.
class Search {
 public:
  Search(std::span<const double> y, std::uint32_t period, const Smoothing& first) : best(first), y_(y), start_(y, period) {}

  // Each in its turn, up to as many as there are lines. They depend on nothing that is found meanwhile.
  template <std::size_t kPairs>
  void attempt(std::array<Smoothing, 2 * kPairs> settings, std::size_t count) {
    std::fill(settings.begin() + static_cast<std::ptrdiff_t>(count), settings.end(), settings[0]);
    const auto squares = squares_of<kPairs>(settings);
    for (std::size_t i = 0; i < count; i++) take(settings[i], squares[i]);
  }

  // Less of one parameter, and then more of it: of what is best by then, which is one of two.
  void around(double Smoothing::*parameter, double width) {
    const auto scaled = [&](Smoothing with, double factor) {
      with.*parameter = std::min(kMost, with.*parameter * factor);
      return with;
    };
    const Smoothing less = scaled(best, 1 / width);
    const Smoothing more[] = {scaled(best, width), scaled(less, width)};
    const auto squares = squares_of<2>({less, more[0], more[1], less});
    const std::size_t which = take(less, squares[0]) ? 1 : 0;
    take(more[which], squares[1 + which]);
  }

  Smoothing best;

 private:
  template <std::size_t kPairs>
  std::array<double, 2 * kPairs> squares_of(const std::array<Smoothing, 2 * kPairs>& settings) const {
    Lines<kPairs> lines(start_, settings);
    lines.template run<false>(y_.first(start_.skipped()));
    lines.template run<true>(y_.subspan(start_.skipped()));
    std::array<double, 2 * kPairs> squares;
    for (std::size_t i = 0; i < squares.size(); i++) squares[i] = lines.squares(i);
    return squares;
  }

  bool take(const Smoothing& with, double squares) {
    if (!(squares < least_)) return false;
    least_ = squares;
    best = with;
    return true;
  }

  std::span<const double> y_;
  const Start start_;
  double least_ = std::numeric_limits<double>::infinity();
};

}  // namespace

bool smoothing_fit(std::span<const double> values, std::uint32_t period, bool trended, Smoothing& out) {
  const Range range(values);
  if (!range.finite || !is_enough(values.size(), period)) return false;
  std::vector<double> y;
  scale(values, range, y);
  const std::span<const double> trends = trended ? std::span<const double>(kTrends) : kNone;
  const std::span<const double> dampings = trended ? std::span<const double>(kDampings) : kUndamped;
  const std::span<const double> seasons = period > 0 ? std::span<const double>(kSeasons) : kNone;
  // One at a time: the level's first, which says most, with the others in their midst.
  Search search(y, period, {0.2, trends[0], seasons[0], dampings[0]});
  for (const double season : seasons) {
    std::array<Smoothing, kLevels.size()> settings;
    std::transform(kLevels.begin(), kLevels.end(), settings.begin(), [&](double level) {
      return Smoothing{level, trends[0], season, dampings[0]};
    });
    search.attempt<kLevels.size() / 2>(settings, settings.size());
  }
  if (trended) {
    std::array<Smoothing, std::size(kTrends) * std::size(kDampings)> settings;
    std::size_t count = 0;
    for (const double trend : trends) {
      for (const double damping : dampings) settings[count++] = {search.best.level, trend, search.best.season, damping};
    }
    search.attempt<settings.size() / 2>(settings, count);
  }
  for (const double width : kWidths) {
    search.around(&Smoothing::level, width);
    if (period > 0) search.around(&Smoothing::season, width);
    if (trended) search.around(&Smoothing::trend, width);
  }
  out = search.best;
  return true;
}

bool smoothing_forecast(std::span<const double> values, std::uint32_t period, const Smoothing& with, std::span<double> out) {
  return smoothing_forecasts(values, period, with, {values.size(), 1, 1}, out);
}

bool smoothing_forecasts(std::span<const double> values, std::uint32_t period, const Smoothing& with, const Origins& origins,
                         std::span<double> out) {
  if (origins.count == 0 || !is_enough(origins.first, period)) return false;
  const std::size_t horizon = out.size() / origins.count;
  Extent extent;
  std::optional<Range> before;
  std::optional<Lines<1>> line;
  std::vector<double> y;
  std::size_t known = 0;
  std::size_t ran = 0;
  for (std::size_t origin = 0; origin < origins.count; origin++) {
    const std::size_t length = origins.length(origin);
    extent.add(values.subspan(known, length - known));
    known = length;
    const Range range(extent);
    if (!range.finite) return false;
    // As long as the range is the same the line goes on; in another one each value is another number.
    if (!before || range.middle != before->middle || range.half != before->half) {
      y.clear();
      ran = 0;
      line.reset();
    }
    before = range;
    scale(values.first(length), range, y);
    if (!line) line.emplace(Start(y, period), std::array{with, with});
    line->run<false>(std::span<const double>(y).subspan(ran));
    ran = length;
    const auto row = out.subspan(origin * horizon, horizon);
    line->forecast(0, row);
    for (double& next : row) next = range.near(next * range.half + range.middle);
  }
  return true;
}

}  // namespace forelock::predict
