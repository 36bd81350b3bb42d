"use strict";

// A token that is typed in stays in this page and is gone with it.
SwaggerUIBundle({
  dom_id: "#reference",
  url: "/api/v1/openapi.json",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
