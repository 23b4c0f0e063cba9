// A thread does not inherit the TypeScript loader of its parent on every Node.
import { register } from 'tsx/esm/api'

register()
await import('./worker.ts')
