import { cloudphysics } from '../../../../lib/backtest/suites/cloudphysics.js'
import { judge } from '../judged.js'

judge([cloudphysics])
