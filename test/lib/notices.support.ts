import type { ContentionNotice } from '../../lib/notices.js'

/** ms between two looks of who listens. */
export const LOOK_MS = 25

/** Three units are foretold to be wanted by the interactive tier of a pool of ten that has one left. */
export const CONTENTION: ContentionNotice = {
  event: 'contention',
  id: 'a:1',
  kind: 'pool',
  what: 'p',
  tier: 'interactive',
  probability: 0.8,
  within: 500,
  followed: 2000,
  kept: 2,
  capacity: 10,
  free: 1,
  expected: 3,
  usual: 1,
  gap: 300,
  costs: [1, 2, 8, 32]
}
