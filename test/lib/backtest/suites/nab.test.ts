import { nab } from '../../../../lib/backtest/suites/nab.js'
import { judge } from '../judged.js'

judge([nab])
