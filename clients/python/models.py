"""The models of the official Python SDK, dumped whole as its users do: what nobody filled in is null, and wipes nothing.

Their whole numbers are floats, so that they arrive as `20.0`.
"""

import unittest

from highlevel.services.businesses.models import businesses
from highlevel.services.contacts.models import contacts
from highlevel.services.locations.models import locations
from highlevel.services.opportunities.models import opportunities
from highlevel.services.users.models import users

from official_client import ENVIRONMENT, OfficialClient
from story import raw

CHANGES = ("dateUpdated", "updatedAt", "updatedBy", "traceId")


def without(answer, names):
    """A thing but for its fields of those names and for when it was changed."""
    return {field: value for field, value in answer.items() if field not in (*names, *CHANGES)}


class DumpedModels(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.client = OfficialClient([])
        self.addAsyncCleanup(self.client.close)
        self.sdk = self.client.with_key(ENVIRONMENT["locationKey"])
        self.location_id = ENVIRONMENT["locationId"]

    async def wipes_nothing(self, name, model, read, update, follows=()):
        """A model of which one field is filled in changes that field and what follows from it, and nothing else of what was read."""
        before = await read()
        await update(model.model_dump())
        after = await read()
        self.assertEqual(after[name], getattr(model, name))
        self.assertNotEqual(before[name], after[name])
        self.assertEqual(without(before, (name, *follows)), without(after, (name, *follows)))

    async def contact(self):
        new = contacts.CreateContactDtoV3(
            locationId=self.location_id, firstName="Ada", lastName="Lovelace", email="ada@models.example", phone="+12015550199",
            city="London", country="GB", source="referral", tags=["one"], website="https://ada.example", timezone="Europe/London",
        )
        return (await self.sdk.contacts.upsert_contact(new.model_dump()))["contact"]["id"]

    async def test_contact(self):
        contact_id = await self.contact()

        async def read():
            return (await self.sdk.contacts.get_contact(contact_id))["contact"]

        change = contacts.UpdateContactDtoV3(city="Ockham")

        def update(body):
            return self.sdk.contacts.update_contact(contact_id, body)

        await self.wipes_nothing("city", change, read, update, follows=["lastActivity"])

    async def test_note_and_task(self):
        contact_id = await self.contact()
        note = contacts.NotesDTO(body="First", userId="0aQ7cXkJTm9Rb4Vw6Yz3").model_dump()
        note_id = (await self.sdk.contacts.create_note(contact_id, note))["note"]["id"]
        new = contacts.CreateTaskParams(title="Call", body="Soon", dueDate="2027-01-01T10:00:00Z", completed=False).model_dump()
        task_id = (await self.sdk.contacts.create_task(contact_id, new))["task"]["id"]

        async def note_read():
            return (await self.sdk.contacts.get_note(contact_id, note_id))["note"]

        async def task_read():
            return (await self.sdk.contacts.get_task(contact_id, task_id))["task"]

        change = contacts.UpdateNoteDTO(body="Second")

        def note_update(body):
            return self.sdk.contacts.update_note(contact_id, note_id, body)

        await self.wipes_nothing("body", change, note_read, note_update, follows=["bodyText"])
        change = contacts.UpdateTaskBody(title="Call back")
        await self.wipes_nothing("title", change, task_read, lambda body: self.sdk.contacts.update_task(contact_id, task_id, body))

    async def test_business(self):
        new = businesses.CreateBusinessDto(
            name="Supplies", locationId=self.location_id, city="Newark", email="desk@models.example",
        )
        business_id = (await self.sdk.businesses.create_business(new.model_dump()))["buiseness"]["id"]

        async def read():
            return (await self.sdk.businesses.get_business(business_id))["business"]

        change = businesses.UpdateBusinessDto(city="Hoboken")
        await self.wipes_nothing("city", change, read, lambda body: self.sdk.businesses.update_business(business_id, body))

    async def test_opportunity(self):
        pipelines = (await self.sdk.opportunities.get_pipelines(self.location_id))["pipelines"]
        new = opportunities.CreateDtoV3(
            pipelineId=pipelines[0]["id"], locationId=self.location_id, name="Implant", status="open",
            contactId=await self.contact(), monetaryValue=20, forecastExpectedCloseDate="2027-03-01", forecastProbability=40,
        )
        made = (await self.sdk.opportunities.create_opportunity(new.model_dump()))["opportunity"]
        self.assertEqual(made["monetaryValue"], 20)

        async def read():
            return (await self.sdk.opportunities.get_opportunity(made["id"]))["opportunity"]

        change = opportunities.UpdateOpportunityDtoV3(name="Two implants")
        await self.wipes_nothing("name", change, read, lambda body: self.sdk.opportunities.update_opportunity(made["id"], body))

    async def test_location(self):
        agency = self.client.with_key(ENVIRONMENT["agencyKey"])
        company_id = ENVIRONMENT["companyId"]
        new = locations.CreateLocationDto(
            name="Northside Gym", companyId=company_id, city="Bern", country="CH", timezone="Europe/Zurich",
        )
        made = await agency.locations.create_location(new.model_dump())

        async def read():
            return (await agency.locations.get_location(made["id"]))["location"]

        change = locations.UpdateLocationDto(companyId=company_id, city="Basel")

        def update(body):
            return agency.locations.put_location(made["id"], body)

        await self.wipes_nothing("city", change, read, update, follows=["business"])

    async def test_custom_field(self):
        new = locations.CreateCustomFieldsDTO(
            name="Files", dataType="FILE_UPLOAD", acceptedFormat=[".txt"], maxNumberOfFiles=2, position=1,
        )
        made = (await self.sdk.locations.create_custom_field(self.location_id, new.model_dump()))["customField"]
        self.assertEqual(made["maxFileLimit"], 2)

        async def read():
            return (await self.sdk.locations.get_custom_field(self.location_id, made["id"]))["customField"]

        def update(body):
            return self.sdk.locations.update_custom_field(self.location_id, made["id"], body)

        await self.wipes_nothing("name", locations.UpdateCustomFieldsDTO(name="X-rays"), read, update)

    async def test_recurring_task(self):
        rule = {"intervalType": "daily", "interval": 1.0, "startDate": "2027-01-01T09:00:00.000Z", "dueAfterSeconds": 600.0}
        new = locations.RecurringTaskCreateDTO(
            title="Water", description="Often", contactIds=[await self.contact()], rruleOptions=rule,
        )
        made = (await self.sdk.locations.create_recurring_task(self.location_id, new.model_dump()))["recurringTask"]

        async def read():
            return (await self.sdk.locations.get_recurring_task_by_id(made["id"], self.location_id))["recurringTask"]

        def update(body):
            return self.sdk.locations.update_recurring_task(made["id"], self.location_id, body)

        await self.wipes_nothing("title", locations.RecurringTaskUpdateDTO(title="Water more"), read, update)

    async def test_user(self):
        key = ENVIRONMENT["agencyKey"]
        new = users.CreateUserDto(
            companyId=ENVIRONMENT["companyId"], firstName="Rosalind", lastName="Franklin", email="rosalind@models.example",
            password="correct horse battery", type="account", role="user", locationIds=[self.location_id], phone="+12015550177",
        )
        made = await self.client.with_key(key).users.create_user(new.model_dump())

        async def read():
            return await self.client.with_key(key).users.get_user(made["id"])

        # The SDK leaves {userId} in the path, so that only its model is of use.
        async def update(body):
            failed, answer = await raw("PUT /users/{userId}", key, {"with": {"userId": made["id"]}, "body": body})
            self.assertIsNone(failed, answer)

        await self.wipes_nothing("firstName", users.UpdateUserDto(firstName="Rosa"), read, update, follows=["name"])


if __name__ == "__main__":
    unittest.main()
