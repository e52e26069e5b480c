// A Socket.IO 4 server as its own documentation begins one, with WebSockets alone and nothing compressed: who connects is
// in the room that the query names, and who says something has it sent to a room.
import { createServer } from "node:http";
import { Server } from "socket.io";

const { event, data } = JSON.parse(process.env.FRAME);
const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });

io.on("connection", (socket) => {
  socket.join(socket.handshake.query.room);
  socket.on("say", (room, done) => {
    io.to(room).emit(event, data);
    done();
  });
});
http.listen(0, "127.0.0.1", 4096, () => console.log(`127.0.0.1:${http.address().port}`));
