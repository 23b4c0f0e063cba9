// The range of some values, without overflow whatever they are.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace forelock::predict {

// The least and the largest of those that were told of so far.
struct Extent {
  void add(std::span<const double> values) {
    // Four at a time: one alone waits for the one before.
    constexpr std::size_t kLanes = 4;
    double lows[kLanes];
    double highs[kLanes];
    double odd[kLanes] = {};
    std::fill_n(lows, kLanes, low);
    std::fill_n(highs, kLanes, high);
    const auto take = [&](std::size_t lane, double value) {
      lows[lane] = std::min(lows[lane], value);
      highs[lane] = std::max(highs[lane], value);
      // A number less itself is 0, and NaN where it is none or has no end.
      odd[lane] += value - value;
    };
    std::size_t i = 0;
    for (; i + kLanes <= values.size(); i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; lane++) take(lane, values[i + lane]);
    }
    for (; i < values.size(); i++) take(0, values[i]);
    low = *std::min_element(lows, lows + kLanes);
    high = *std::max_element(highs, highs + kLanes);
    finite = finite && (odd[0] + odd[1]) + (odd[2] + odd[3]) == 0;
  }

  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  bool finite = true;
};

struct Range {
  Range() = default;  // of no values
  explicit Range(std::span<const double> values) : Range(extent_of(values)) {}

  explicit Range(const Extent& extent) {
    const auto [low, high, all_finite] = extent;
    finite = all_finite && low <= high;
    if (!finite) return;
    half = high / 2 - low / 2;
    middle = low / 2 + high / 2;
    if (!(half > 0)) half = std::max(std::fabs(middle), 1e-300) * 1e-9;
    // As much again on either side.
    floor = std::max(low - 2 * half, -std::numeric_limits<double>::max());
    ceiling = std::min(high + 2 * half, std::numeric_limits<double>::max());
  }

  double into(double value) const { return (value - middle) / half; }
  // Within the range and as much again on either side; the middle for what is no number.
  double near(double value) const { return std::isnan(value) ? middle : std::clamp(value, floor, ceiling); }

  bool finite = false;
  double middle = 0;
  double half = 1;  // > 0
  double floor = 0;
  double ceiling = 0;

 private:
  static Extent extent_of(std::span<const double> values) {
    Extent extent;
    extent.add(values);
    return extent;
  }
};

}  // namespace forelock::predict
