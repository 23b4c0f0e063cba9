#include "predict/ridge.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "predict/pair.h"
#include "predict/range.h"

namespace forelock::predict {

namespace {

// Moved and scaled into [-1, 1], so that nothing of it overflows whatever the values are; then differenced.
std::vector<double> prepared(std::span<const double> values, const Range& range, std::uint32_t difference) {
  std::vector<double> out(values.size());
  std::transform(values.begin(), values.end(), out.begin(), [&](double value) { return range.into(value); });
  if (difference == 0) return out;
  for (std::size_t t = out.size(); t-- > difference;) out[t] -= out[t - difference];
  out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(difference));
  return out;
}

std::size_t longest(std::span<const std::uint32_t> lags) { return lags.empty() ? 0 : *std::max_element(lags.begin(), lags.end()); }

// A x = b for a symmetric positive definite A, of which the lower triangle is given, row by row, by Cholesky's method; x replaces b.
bool solve(std::vector<double>& a, std::size_t stride, std::span<double> b) {
  const std::size_t n = b.size();
  for (std::size_t j = 0; j < n; j++) {
    double* row = &a[j * stride];
    for (std::size_t i = 0; i < j; i++) {
      double sum = row[i];
      for (std::size_t k = 0; k < i; k++) sum -= row[k] * a[i * stride + k];
      row[i] = sum / a[i * stride + i];
    }
    double pivot = row[j];
    for (std::size_t k = 0; k < j; k++) pivot -= row[k] * row[k];
    if (!(pivot > 0)) return false;
    row[j] = std::sqrt(pivot);
  }
  for (std::size_t i = 0; i < n; i++) {
    for (std::size_t k = 0; k < i; k++) b[i] -= a[i * stride + k] * b[k];
    b[i] /= a[i * stride + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; k++) b[i] -= a[k * stride + i] * b[k];
    b[i] /= a[i * stride + i];
  }
  return true;
}

// Sums over all equations of x, y, x x' (lower triangle) and x y.
class Moments {
 public:
  Moments(std::span<const double> y, std::span<const std::uint32_t> lags, std::size_t from)
      : n(lags.size()),
        stride(n + n % 2),
        count(y.size() - from),
        x(n),
        xx(n * stride),
        xy(n),
        y_(y),
        lags_(lags),
        rows_(kTogether * stride) {
    std::size_t t = from;
    for (; t + kTogether <= y.size(); t += kTogether) add<kTogether>(t);
    for (; t < y.size(); t++) add<1>(t);
  }

  // About the means.
  void center() {
    const auto equations = static_cast<double>(count);
    for (std::size_t i = 0; i < n; i++) {
      xy[i] -= x[i] * target / equations;
      for (std::size_t k = 0; k <= i; k++) xx[i * stride + k] -= x[i] * x[k] / equations;
    }
  }

  const std::size_t n;
  const std::size_t stride;  // of a row of xx: even, for it is summed by pairs
  const std::size_t count;
  double target = 0;
  std::vector<double> x;
  std::vector<double> xx;
  std::vector<double> xy;

 private:
  // Equations that are added at once: a sum is read and written once for all of them, and gets them in their order.
  static constexpr std::size_t kTogether = 4;

  template <std::size_t kEquations>
  void add(std::size_t t) {
    std::array<double*, kEquations> rows;
    for (std::size_t e = 0; e < kEquations; e++) {
      rows[e] = &rows_[e * stride];
      for (std::size_t i = 0; i < n; i++) rows[e][i] = y_[t + e - lags_[i]];
      target += y_[t + e];
    }
    for (std::size_t i = 0; i < n; i++) {
      Pair values[kEquations];
#pragma GCC unroll 4
      for (std::size_t e = 0; e < kEquations; e++) {
        const double value = rows[e][i];
        x[i] += value;
        xy[i] += value * y_[t + e];
        values[e] = both(value);
      }
      double* into = &xx[i * stride];
      for (std::size_t k = 0; k <= i; k += 2) {
        Pair sum = pair_at(into + k);
#pragma GCC unroll 4
        for (std::size_t e = 0; e < kEquations; e++) sum += values[e] * pair_at(rows[e] + k);
        put(sum, into + k);
      }
    }
  }

  std::span<const double> y_;
  std::span<const std::uint32_t> lags_;
  std::vector<double> rows_;
};

// Lines that go on side by side, a lane for each: in one alone each product waits for the sum before it.
template <std::size_t kPairs>
struct Lanes {
  static constexpr std::size_t kLanes = 2 * kPairs;

  // The last values before each origin.
  Lanes(std::size_t reach, std::size_t horizon) : reach(reach), horizon(horizon), line((reach + horizon) * kLanes) {}

  void begin(std::size_t lane, std::span<const double> values, const Range& range) {
    for (std::size_t t = 0; t < reach; t++) line[t * kLanes + lane] = values[values.size() - reach + t];
    ranges[lane] = range;
  }

  void go_on(const RidgeShape& shape, std::span<const double> coefficients) {
    const std::size_t back = shape.difference * kLanes;
    for (std::size_t t = reach; t < reach + horizon; t++) {
      double* now = &line[t * kLanes];
      Pair next[kPairs];
#pragma GCC unroll 4
      for (std::size_t p = 0; p < kPairs; p++) {
        next[p] = both(coefficients[0]);
        if (back > 0) next[p] += pair_at(now - back + 2 * p);
      }
      for (std::size_t i = 0; i < shape.lags.size(); i++) {
        const Pair weight = both(coefficients[i + 1]);
        const double* then = now - shape.lags[i] * kLanes;
#pragma GCC unroll 4
        for (std::size_t p = 0; p < kPairs; p++) {
          const Pair value = pair_at(then + 2 * p);
          next[p] += weight * (back > 0 ? value - pair_at(then - back + 2 * p) : value);
        }
      }
      for (std::size_t lane = 0; lane < kLanes; lane++) now[lane] = ranges[lane].near(next[lane / 2][lane % 2]);
    }
  }

  void forecast(std::size_t lane, std::span<double> out) const {
    for (std::size_t h = 0; h < horizon; h++) out[h] = line[(reach + h) * kLanes + lane];
  }

  const std::size_t reach;
  const std::size_t horizon;
  std::vector<double> line;
  std::array<Range, kLanes> ranges;
};

template <std::size_t kPairs>
bool forecasts(std::span<const double> values, const RidgeShape& shape, std::span<const double> coefficients, const Origins& origins,
               std::span<double> out) {
  const std::size_t reach = shape.reach();
  if (origins.count == 0 || origins.first < std::max<std::size_t>(reach, 1)) return false;
  const std::size_t horizon = out.size() / origins.count;
  Lanes<kPairs> lanes(reach, horizon);
  Extent extent;
  std::size_t known = 0;
  for (std::size_t from = 0; from < origins.count; from += lanes.kLanes) {
    const std::size_t used = std::min(origins.count - from, lanes.kLanes);
    for (std::size_t lane = 0; lane < used; lane++) {
      const std::size_t length = origins.length(from + lane);
      extent.add(values.subspan(known, length - known));
      known = length;
      const Range range(extent);
      if (!range.finite) return false;
      lanes.begin(lane, values.first(length), range);
    }
    lanes.go_on(shape, coefficients);
    for (std::size_t lane = 0; lane < used; lane++) lanes.forecast(lane, out.subspan((from + lane) * horizon, horizon));
  }
  return true;
}

}  // namespace

std::size_t RidgeShape::reach() const { return longest(lags) + difference; }

bool ridge_fit(std::span<const double> values, const RidgeShape& shape, std::span<double> coefficients) {
  const Range range(values);
  if (!range.finite || values.size() < shape.reach() + shape.lags.size() + 2) return false;
  const std::vector<double> y = prepared(values, range, shape.difference);
  Moments moments(y, shape.lags, longest(shape.lags));
  const auto equations = static_cast<double>(moments.count);
  const std::size_t n = moments.n;
  moments.center();
  double variance = 0;
  for (std::size_t i = 0; i < n; i++) variance += moments.xx[i * moments.stride + i];
  variance /= equations * static_cast<double>(std::max<std::size_t>(n, 1));
  // What does not vary is foretold by its mean, which takes weights of 0: any penalty gives these.
  const double penalty = variance > 0 ? shape.penalty * variance : 1;
  // Values that hardly differ leave rounding behind; a part of the diagonal keeps the matrix definite.
  for (std::size_t i = 0; i < n; i++) moments.xx[i * moments.stride + i] += penalty + 1e-12 * equations * variance;
  if (!solve(moments.xx, moments.stride, moments.xy)) return false;
  double intercept = moments.target;
  for (std::size_t i = 0; i < n; i++) intercept -= moments.xy[i] * moments.x[i];
  coefficients[0] = intercept / equations;
  std::copy(moments.xy.begin(), moments.xy.end(), coefficients.begin() + 1);
  // The weights are the same on any scale, the intercept is not: back on that of the values.
  double weights = 0;
  for (const double weight : moments.xy) weights += weight;
  coefficients[0] = shape.difference == 0 ? coefficients[0] * range.half + range.middle * (1 - weights) : coefficients[0] * range.half;
  return std::all_of(coefficients.begin(), coefficients.end(), [](double one) { return std::isfinite(one); });
}

bool ridge_forecast(std::span<const double> values, const RidgeShape& shape, std::span<const double> coefficients, std::span<double> out) {
  return forecasts<1>(values, shape, coefficients, {values.size(), 1, 1}, out);
}

bool ridge_forecasts(std::span<const double> values, const RidgeShape& shape, std::span<const double> coefficients, const Origins& origins,
                     std::span<double> out) {
  return forecasts<4>(values, shape, coefficients, origins, out);
}

}  // namespace forelock::predict
