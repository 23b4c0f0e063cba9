#include "predict/smoothing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "predict/range.h"

namespace forelock::predict {

namespace {

// What is known after some values.
class State {
 public:
  explicit State(std::uint32_t period) : first_(period) {}

  // From the first two periods: their means, and how each step differs from its own mean.
  void begin(std::span<const double> y) {
    level_ = y[0];
    trend_ = 0;
    if (first_.empty()) return;
    const std::size_t period = first_.size();
    double means[2] = {};
    for (std::size_t i = 0; i < 2 * period; i++) means[i / period] += y[i] / static_cast<double>(period);
    for (std::size_t i = 0; i < period; i++) first_[i] = ((y[i] - means[0]) + (y[i + period] - means[1])) / 2;
    // As it was before the first value.
    slope_ = (means[1] - means[0]) / static_cast<double>(period);
    mean_ = means[0];
  }

  // Goes through all values; the sum of the squared errors one step ahead, without the first ones.
  double run(std::span<const double> y, const Smoothing& with) {
    season_ = first_;
    trend_ = with.trend > 0 ? slope_ : 0;
    level_ = first_.empty() ? y[0] : mean_ - slope_ * static_cast<double>(first_.size() + 1) / 2;
    double sum = 0;
    place_ = 0;
    const std::size_t skipped = first_.empty() ? 1 : first_.size();
    for (std::size_t t = 0; t < y.size(); t++) {
      const double drift = with.damping * trend_;
      const double seasonal = season_.empty() ? 0 : season_[place_];
      const double error = y[t] - (level_ + drift + seasonal);
      if (t >= skipped) sum += error * error;
      level_ += drift + with.level * error;
      trend_ = drift + with.level * with.trend * error;
      if (!season_.empty()) {
        season_[place_] += with.season * (1 - with.level) * error;
        if (++place_ == season_.size()) place_ = 0;
      }
    }
    return sum;
  }

  void forecast(const Smoothing& with, std::span<double> out) const {
    double damped = 0;
    double power = 1;
    std::size_t place = place_;
    for (double& next : out) {
      power *= with.damping;
      damped += power;
      next = level_ + damped * trend_ + (season_.empty() ? 0 : season_[place]);
      if (!season_.empty() && ++place == season_.size()) place = 0;
    }
  }

 private:
  std::vector<double> first_;
  std::vector<double> season_;
  double mean_ = 0;
  double slope_ = 0;
  double level_ = 0;
  double trend_ = 0;
  std::size_t place_ = 0;
};

bool prepare(std::span<const double> values, std::uint32_t period, const Range& range, std::vector<double>& y) {
  if (!range.finite || values.size() < std::max<std::size_t>(3, std::size_t{2} * period)) return false;
  y.resize(values.size());
  std::transform(values.begin(), values.end(), y.begin(), [&](double value) { return range.into(value); });
  return true;
}

constexpr double kLevels[] = {0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9};
constexpr double kTrends[] = {0.02, 0.1, 0.3};
constexpr double kSeasons[] = {0.02, 0.1, 0.25, 0.5};
constexpr double kDampings[] = {0.9, 0.98};
constexpr double kNone[] = {0};
constexpr double kUndamped[] = {1};
constexpr int kRounds = 2;  // of finer steps about the best

}  // namespace

bool smoothing_fit(std::span<const double> values, std::uint32_t period, bool trended, Smoothing& out) {
  const Range range(values);
  std::vector<double> y;
  if (!prepare(values, period, range, y)) return false;
  State state(period);
  state.begin(y);
  double best = std::numeric_limits<double>::infinity();
  const auto attempt = [&](const Smoothing& with) {
    const double sum = state.run(y, with);
    if (!(sum < best)) return;
    best = sum;
    out = with;
  };
  const std::span<const double> trends = trended ? std::span<const double>(kTrends) : kNone;
  const std::span<const double> dampings = trended ? std::span<const double>(kDampings) : kUndamped;
  const std::span<const double> seasons = period > 0 ? std::span<const double>(kSeasons) : kNone;
  // One at a time: the level's first, which says most, with the others in their midst.
  out = {0.2, trends[0], seasons[0], dampings[0]};
  for (const double season : seasons) {
    for (const double level : kLevels) attempt({level, trends[0], season, dampings[0]});
  }
  for (const double trend : trends) {
    for (const double damping : dampings) attempt({out.level, trend, out.season, damping});
  }
  for (int round = 0; round < kRounds; round++) {
    const double width = round == 0 ? 1.5 : 1.2;
    for (const double factor : {1 / width, width}) attempt({std::min(0.999, out.level * factor), out.trend, out.season, out.damping});
    if (period > 0) {
      for (const double factor : {1 / width, width}) attempt({out.level, out.trend, std::min(0.999, out.season * factor), out.damping});
    }
    if (trended) {
      for (const double factor : {1 / width, width}) attempt({out.level, std::min(0.999, out.trend * factor), out.season, out.damping});
    }
  }
  return true;
}

bool smoothing_forecast(std::span<const double> values, std::uint32_t period, const Smoothing& with, std::span<double> out) {
  const Range range(values);
  std::vector<double> y;
  if (!prepare(values, period, range, y)) return false;
  State state(period);
  state.begin(y);
  state.run(y, with);
  state.forecast(with, out);
  for (double& next : out) next = range.near(next * range.half + range.middle);
  return true;
}

}  // namespace forelock::predict
