// validatorUrl: null, or Swagger UI sends the address of the document to an outside validator
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null });
