import { m4Hourly } from '../../../../lib/backtest/suites/m4-hourly.js'
import { judge } from '../judged.js'

judge([m4Hourly])
