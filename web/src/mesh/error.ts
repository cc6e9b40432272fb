// The one error of the mesh's pure code.

/** What was read breaks docs/MESH.md, or was not made by whom it says. Nothing of it may be used. */
export class MeshError extends Error {
  override readonly name = 'MeshError';
}
