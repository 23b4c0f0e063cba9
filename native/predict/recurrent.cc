#include "predict/recurrent.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace forelock::predict {

namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// out += in x matrix, whose rows are `stride` apart.
void add_product(std::span<const double> in, const float* matrix, std::size_t stride, std::span<double> out) {
  for (const double value : in) {
    for (std::size_t i = 0; i < out.size(); i++) out[i] += value * static_cast<double>(matrix[i]);
    matrix += stride;
  }
}

class Net {
 public:
  Net(const RecurrentShape& shape, std::span<const float> weights)
      : shape_(shape),
        units_(shape.units),
        width_(shape.gates() * units_),
        kernel_(weights.data()),
        recurrent_(kernel_ + width_),
        bias_(recurrent_ + units_ * width_),
        dense_(bias_ + width_),
        z_(width_),
        gated_(units_) {}

  void step(double input, std::span<double> state) {
    for (std::size_t i = 0; i < width_; i++) z_[i] = input * static_cast<double>(kernel_[i]) + static_cast<double>(bias_[i]);
    if (shape_.cell == RecurrentShape::kLstm) {
      lstm(state.first(units_), state.subspan(units_));
    } else {
      gru(state);
    }
  }

  void out(std::span<const double> state, std::span<double> out) const {
    const float* bias = dense_ + units_ * out.size();
    std::copy(bias, bias + out.size(), out.begin());
    add_product(state.first(units_), dense_, out.size(), out);
  }

 private:
  void lstm(std::span<double> hidden, std::span<double> cells) {
    add_product(hidden, recurrent_, width_, z_);
    for (std::size_t i = 0; i < units_; i++) {
      const double in = sigmoid(z_[i]);
      const double forget = sigmoid(z_[units_ + i]);
      cells[i] = forget * cells[i] + in * std::tanh(z_[2 * units_ + i]);
      hidden[i] = sigmoid(z_[3 * units_ + i]) * std::tanh(cells[i]);
    }
  }

  void gru(std::span<double> hidden) {
    const std::span<double> z(z_);
    add_product(hidden, recurrent_, width_, z.first(2 * units_));
    for (std::size_t i = 0; i < units_; i++) gated_[i] = sigmoid(z[units_ + i]) * hidden[i];
    add_product(gated_, recurrent_ + 2 * units_, width_, z.subspan(2 * units_));
    for (std::size_t i = 0; i < units_; i++) {
      const double update = sigmoid(z[i]);
      hidden[i] = update * hidden[i] + (1 - update) * std::tanh(z[2 * units_ + i]);
    }
  }

  const RecurrentShape shape_;
  const std::size_t units_;
  const std::size_t width_;
  const float* const kernel_;
  const float* const recurrent_;
  const float* const bias_;
  const float* const dense_;
  std::vector<double> z_;
  std::vector<double> gated_;
};

bool all_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double one) { return std::isfinite(one); });
}

}  // namespace

bool recurrent_run(const RecurrentShape& shape, std::span<const float> weights, std::span<double> state, std::span<const double> inputs,
                   std::span<double> out) {
  Net net(shape, weights);
  std::vector<double> next(state.begin(), state.end());
  for (const double input : inputs) net.step(input, next);
  std::vector<double> said(out.size());
  if (!said.empty()) net.out(next, said);
  if (!all_finite(next) || !all_finite(said)) return false;
  std::copy(next.begin(), next.end(), state.begin());
  std::copy(said.begin(), said.end(), out.begin());
  return true;
}

}  // namespace forelock::predict
