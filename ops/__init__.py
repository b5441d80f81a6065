"""Operations on a deployment. They use only its API and its stack's outputs, and import neither `app` nor `stacks`."""
