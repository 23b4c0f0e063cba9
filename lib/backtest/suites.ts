import type { Suite } from './suite.js'
import { cloudphysics } from './suites/cloudphysics.js'
import { cost } from './suites/cost.js'
import { m4Hourly } from './suites/m4-hourly.js'
import { nezha } from './suites/nezha.js'
import { nezhaNext } from './suites/nezha-next.js'

/** All backtests, in the order in which they run. */
export const SUITES: readonly Suite[] = [m4Hourly, cloudphysics, nezha, nezhaNext, cost]
