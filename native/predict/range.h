// The range of some values, without overflow whatever they are.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace forelock::predict {

struct Range {
  explicit Range(std::span<const double> values) {
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (const double value : values) {
      finite = finite && std::isfinite(value);
      low = std::min(low, value);
      high = std::max(high, value);
    }
    if (values.empty() || !finite) {
      finite = false;
      return;
    }
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

  bool finite = true;
  double middle = 0;
  double half = 1;  // > 0
  double floor = 0;
  double ceiling = 0;
};

}  // namespace forelock::predict
