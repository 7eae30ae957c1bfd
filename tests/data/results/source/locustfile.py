from locust import HttpUser, constant, tag, task


class Visitor(HttpUser):
    wait_time = constant(0.02)

    @tag("fine")
    @task(3)
    def front(self):
        self.client.get("/")

    @tag("fine")
    @task
    def item(self):
        self.client.get("/item", name="/item/[id]")

    @tag("broken")
    @task
    def broken(self):
        self.client.get("/broken")
