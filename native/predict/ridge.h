// Autoregression on chosen lags, by least squares with a ridge penalty (Hoerl and Kennard, Technometrics 12(1), 1970). A forecast is made
// step by step, each from those before it. With `difference` s it is of y[t] - y[t - s].
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "predict/origins.h"

namespace forelock::predict {

struct RidgeShape {
  std::span<const std::uint32_t> lags;  // each >= 1
  std::uint32_t difference = 0;         // 0: none
  double penalty = 1;                   // in units of the variance of the values

  // How many values the first equation takes before its own.
  std::size_t reach() const;
};

// The intercept and a weight for each lag, in this order. False: there are fewer equations than unknowns, or values that are not finite.
bool ridge_fit(std::span<const double> values, const RidgeShape& shape, std::span<double> coefficients);

// The values to come. False: there are fewer values than the shape reaches back. What it foretells stays within the range of
// the values and as much again on either side, because an autoregression may explode.
bool ridge_forecast(std::span<const double> values, const RidgeShape& shape, std::span<const double> coefficients, std::span<double> out);

// The same from each of some beginnings, none longer than the values: a row of `out` for each. False where one of them would be.
bool ridge_forecasts(std::span<const double> values, const RidgeShape& shape, std::span<const double> coefficients, const Origins& origins,
                     std::span<double> out);

}  // namespace forelock::predict
