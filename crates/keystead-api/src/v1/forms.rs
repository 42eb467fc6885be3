//! Forms and surveys of API 1.0, and what was submitted to them.

use keystead_core::{Error, LocationContext};
use keystead_model::form::{FormHead, Submission};
use serde_json::{Value, json};

use crate::{
    call::Call,
    reader::Slice,
    shape::{
        Fields, Written,
        output::{Definitions, Field, Out},
    },
    v2::{
        forms::FormShape,
        submissions::{Found, Listing},
    },
};

/// All of them.
pub(crate) struct Listed<K>(Vec<FormHead<K>>);

impl<K: FormShape> Written for Listed<K> {
    fn sample() -> Self {
        Self(vec![FormHead::sample()])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put(K::MANY, &self.0);
    }
}

pub(crate) async fn list<K: FormShape>(context: LocationContext, call: Call<(), Slice>) -> Result<Listed<K>, Error> {
    let counted = call.app.list_forms::<K>(&context, call.query.window()).await?;
    Ok(Listed(counted.page.rows))
}

/// A page of submissions, in which the answers stand beside everything else.
pub(crate) struct Flat<K>(Found<K>);

impl<K: FormShape> Written for Flat<K> {
    fn sample() -> Self {
        Self(Found::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let flat: Vec<Row<'_, K>> = self.0.counted.page.rows.iter().map(Row).collect();
        fields.put("submissions", &flat);
        fields.put("meta", &self.0.meta());
    }
}

/// A submission in it.
struct Row<'s, K>(&'s Submission<K>);

impl<K: FormShape> Field for Row<'_, K> {
    fn schema(definitions: &mut Definitions) -> Value {
        <Value as Field>::schema(definitions)
    }

    fn write(&self, out: &mut Out) {
        let Submission { id, form, contact, name, email, created_at, .. } = self.0;
        let mut fields = self.0.told_answers(out.base_url());
        let own = json!({
            "id": id,
            "contactId": contact,
            "createdAt": created_at,
            (K::ID): form,
            "name": name,
            "email": email,
            "pageDetails": {},
        });
        if let Value::Object(own) = own {
            fields.extend(own);
        }
        Field::write(&Value::Object(fields), out);
    }
}

pub(crate) async fn list_submissions<K: FormShape>(
    context: LocationContext,
    call: Call<(), Listing<K>>,
) -> Result<Flat<K>, Error> {
    call.query.run(&context, &call.app).await.map(Flat)
}
