import { nezhaNext } from '../../../../lib/backtest/suites/nezha-next.js'
import { judge } from '../judged.js'

judge([nezhaNext])
