"""What both servers share over HTTP: errors as problem+json, bearer tokens, limits of bodies, serving."""
