import java.security.SecureRandom;
import java.security.Security;
import java.security.cert.X509Certificate;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import java.util.List;

/** A client of Java's TLS: TLSClient.java HOST:PORT [PROTOCOL…]. It trusts anyone. */
public final class TLSClient {
    public static void main(String[] words) throws Exception {
        Security.setProperty("jdk.tls.disabledAlgorithms", "");
        String[] address = words[0].split(":");
        TrustManager anyone = new X509TrustManager() {
            public void checkClientTrusted(X509Certificate[] chain, String kind) {}
            public void checkServerTrusted(X509Certificate[] chain, String kind) {}
            public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
        };
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {anyone}, new SecureRandom());
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(
                address[0], Integer.parseInt(address[1]))) {
            var parameters = socket.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName("server.example")));
            socket.setSSLParameters(parameters);
            if (words.length > 1) {
                socket.setEnabledProtocols(java.util.Arrays.copyOfRange(words, 1, words.length));
            }
            socket.startHandshake();
            System.out.println(socket.getSession().getProtocol());
        } catch (Exception error) {
            System.out.println(error);
        }
    }
}
