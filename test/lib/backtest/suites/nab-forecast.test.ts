import { nabForecast } from '../../../../lib/backtest/suites/nab-forecast.js'
import { judge } from '../judged.js'

judge([nabForecast], ['within', 'worst'])
