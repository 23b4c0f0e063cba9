// Exponential smoothing: Holt-Winters with additive seasons and a damped trend (Holt 1957, Winters 1960; Gardner and McKenzie 1985), and
// what it comes down to without them. The parameters are those with the least sum of squared errors one step ahead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "predict/origins.h"

namespace forelock::predict {

struct Smoothing {
  double level = 0.3;  // alpha
  double trend = 0;    // beta; 0: there is none
  double season = 0;   // gamma
  double damping = 1;  // phi
};

// Of a season of `period` steps; 0: none. False: fewer than two periods (or three values), or some that are not finite.
bool smoothing_fit(std::span<const double> values, std::uint32_t period, bool trended, Smoothing& out);

// The values to come. False as above.
bool smoothing_forecast(std::span<const double> values, std::uint32_t period, const Smoothing& with, std::span<double> out);

// The same from each of some beginnings, none longer than the values: a row of `out` for each. False where one of them would be.
bool smoothing_forecasts(std::span<const double> values, std::uint32_t period, const Smoothing& with, const Origins& origins,
                         std::span<double> out);

}  // namespace forelock::predict
