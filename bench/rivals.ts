/** Who is measured, and by which driver. A floor is what the machine allows at best; it is measured in the same run. */
export interface Contestant {
  /** file in drivers/, and which of its exports connects (`connect` unless said) */
  driver: string
  connect?: string
  /** npm package in bench/package.json, if there is one; it runs under a Node that its `engines` allow */
  package?: string
  /** Node release it needs, where that is no matter of `engines` */
  node?: string
  needsRedis?: true
}

/** The Node release from npm for rivals that this Node does not suit. */
export const OTHER_NODE = '24.21.0'

export const OWN: Contestant = { driver: 'forelock' }

/** By the names that the results use: of the npm package, where there is one. */
export const RIVALS = {
  'async-sema': { driver: 'async-sema', package: 'async-sema' },
  'async-mutex': { driver: 'async-mutex', package: 'async-mutex' },
  'p-limit': { driver: 'p-limit', package: 'p-limit' },
  'p-queue': { driver: 'p-queue', package: 'p-queue' },
  cockatiel: { driver: 'cockatiel', package: 'cockatiel' },
  'proper-lockfile': { driver: 'proper-lockfile', package: 'proper-lockfile' },
  'navigator.locks': { driver: 'navigator-locks', node: OTHER_NODE },
  redis: { driver: 'redis', package: 'ioredis', needsRedis: true }
} satisfies Record<string, Contestant>

export const FLOORS = {
  call: { driver: 'floors', connect: 'call' },
  cas: { driver: 'floors', connect: 'cas' },
  casShared: { driver: 'floors', connect: 'casShared' },
  futex: { driver: 'floors', connect: 'futex' }
} satisfies Record<string, Contestant>

export type RivalName = keyof typeof RIVALS
export type FloorName = keyof typeof FLOORS
