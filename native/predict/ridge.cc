#include "predict/ridge.h"

#include <algorithm>
#include <cmath>
#include <vector>

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

// A x = b for a symmetric positive definite A, of which the lower triangle is given, by Cholesky's method; x replaces b.
bool solve(std::vector<double>& a, std::size_t n, std::span<double> b) {
  for (std::size_t j = 0; j < n; j++) {
    double* row = &a[j * n];
    for (std::size_t i = 0; i < j; i++) {
      double sum = row[i];
      for (std::size_t k = 0; k < i; k++) sum -= row[k] * a[i * n + k];
      row[i] = sum / a[i * n + i];
    }
    double pivot = row[j];
    for (std::size_t k = 0; k < j; k++) pivot -= row[k] * row[k];
    if (!(pivot > 0)) return false;
    row[j] = std::sqrt(pivot);
  }
  for (std::size_t i = 0; i < n; i++) {
    for (std::size_t k = 0; k < i; k++) b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; k++) b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
  return true;
}

// Sums over all equations of x, y, x x' (lower triangle) and x y.
struct Moments {
  Moments(std::span<const double> y, std::span<const std::uint32_t> lags, std::size_t from)
      : n(lags.size()), count(y.size() - from), x(n), xx(n * n), xy(n) {
    std::vector<double> row(n);
    for (std::size_t t = from; t < y.size(); t++) {
      for (std::size_t i = 0; i < n; i++) row[i] = y[t - lags[i]];
      target += y[t];
      for (std::size_t i = 0; i < n; i++) {
        const double value = row[i];
        x[i] += value;
        xy[i] += value * y[t];
        double* into = &xx[i * n];
        for (std::size_t k = 0; k <= i; k++) into[k] += value * row[k];
      }
    }
  }

  // About the means.
  void center() {
    const auto equations = static_cast<double>(count);
    for (std::size_t i = 0; i < n; i++) {
      xy[i] -= x[i] * target / equations;
      for (std::size_t k = 0; k <= i; k++) xx[i * n + k] -= x[i] * x[k] / equations;
    }
  }

  std::size_t n;
  std::size_t count;
  double target = 0;
  std::vector<double> x;
  std::vector<double> xx;
  std::vector<double> xy;
};

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
  for (std::size_t i = 0; i < n; i++) variance += moments.xx[i * n + i];
  variance /= equations * static_cast<double>(std::max<std::size_t>(n, 1));
  // What does not vary is foretold by its mean, which takes weights of 0: any penalty gives these.
  const double penalty = variance > 0 ? shape.penalty * variance : 1;
  // Values that hardly differ leave rounding behind; a part of the diagonal keeps the matrix definite.
  for (std::size_t i = 0; i < n; i++) moments.xx[i * n + i] += penalty + 1e-12 * equations * variance;
  if (!solve(moments.xx, n, moments.xy)) return false;
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
  const std::size_t reach = shape.reach();
  if (values.size() < std::max<std::size_t>(reach, 1)) return false;
  const Range range(values);
  if (!range.finite) return false;
  const std::size_t n = shape.lags.size();
  // The last values, and what follows.
  std::vector<double> line(values.end() - static_cast<std::ptrdiff_t>(reach), values.end());
  line.resize(reach + out.size());
  for (std::size_t t = reach; t < line.size(); t++) {
    double next = coefficients[0];
    if (shape.difference == 0) {
      for (std::size_t i = 0; i < n; i++) next += coefficients[i + 1] * line[t - shape.lags[i]];
    } else {
      next += line[t - shape.difference];
      for (std::size_t i = 0; i < n; i++)
        next += coefficients[i + 1] * (line[t - shape.lags[i]] - line[t - shape.lags[i] - shape.difference]);
    }
    line[t] = range.near(next);
  }
  std::copy(line.begin() + static_cast<std::ptrdiff_t>(reach), line.end(), out.begin());
  return true;
}

}  // namespace forelock::predict
