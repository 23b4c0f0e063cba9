import type { Suite } from './suite.js'
import { azureLlm } from './suites/azure-llm.js'
import { cloudphysics } from './suites/cloudphysics.js'
import { contention } from './suites/contention.js'
import { cost } from './suites/cost.js'
import { m4Events } from './suites/m4-events.js'
import { m4Hourly } from './suites/m4-hourly.js'
import { nab } from './suites/nab.js'
import { nabForecast } from './suites/nab-forecast.js'
import { nezha } from './suites/nezha.js'
import { nezhaNext } from './suites/nezha-next.js'
import { sizeyEager, sizeyMag, sizeyRnaseq } from './suites/sizey.js'

/** All backtests, in the order in which they run. */
export const SUITES: readonly Suite[] = [
  m4Hourly,
  m4Events,
  nabForecast,
  nab,
  cloudphysics,
  nezha,
  nezhaNext,
  contention,
  sizeyRnaseq,
  sizeyMag,
  sizeyEager,
  azureLlm,
  cost
]
