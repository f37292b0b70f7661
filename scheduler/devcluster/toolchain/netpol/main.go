// Netpol enforces Kubernetes NetworkPolicies on this node, and does nothing else.
//
// It runs the policy controller of kube-router without the rest of that program: pods, namespaces and policies are
// watched, and iptables rules and ipsets follow them. SIGTERM and SIGINT end it; the rules stay, so that a restart never
// opens a closed pod.
package main

import (
	"context"
	"flag"
	"net/http"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cloudnativelabs/kube-router/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/pkg/options"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

const (
	resync        = 10 * time.Minute
	retryInterval = time.Second
	headerTimeout = 5 * time.Second
)

func main() {
	klog.InitFlags(nil)
	kubeconfig := flag.String("kubeconfig", "", "file that says how to reach the API server")
	services := flag.String("service-range", "", "CIDR that service addresses are taken from")
	node := flag.String("node", "", "name of the node whose pods are guarded")
	health := flag.String("health", "", "address that answers 200 at /healthz once policies are enforced")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	client, err := connect(*kubeconfig)
	if err != nil {
		klog.Fatalf("cannot use %s: %v", *kubeconfig, err)
	}
	config := options.NewKubeRouterConfig()
	config.ClusterIPCIDR = *services
	config.HostnameOverride = *node
	guard(ctx, client, config, *health)
}

func connect(kubeconfig string) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

// guard enforces policies until ctx ends.
func guard(ctx context.Context, client kubernetes.Interface, config *options.KubeRouterConfig, health string) {
	var working atomic.Bool
	go answer(health, &working)
	factory := informers.NewSharedInformerFactory(client, resync)
	pods := factory.Core().V1().Pods().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	controller := controllerFor(ctx, client, config, pods, policies, namespaces)
	if controller == nil {
		return
	}
	for informer, handler := range map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		pods:       controller.PodEventHandler,
		namespaces: controller.NamespaceEventHandler,
		policies:   controller.NetworkPolicyEventHandler,
	} {
		informer.AddEventHandler(handler)
	}
	factory.Start(ctx.Done())
	// A sync before the caches are full would see no policy and open every pod.
	factory.WaitForCacheSync(ctx.Done())

	heartbeats := make(chan *healthcheck.ControllerHeartbeat)
	go func() {
		for range heartbeats { // sent when rules are written; an unread one would block the controller
			working.Store(true)
		}
	}()
	var running sync.WaitGroup
	running.Add(1)
	controller.Run(heartbeats, ctx.Done(), &running)
	running.Wait()
}

// answer tells at /healthz whether rules have been written. An address that is taken ends the program.
func answer(address string, working *atomic.Bool) {
	http.HandleFunc("/healthz", func(reply http.ResponseWriter, _ *http.Request) {
		if !working.Load() {
			reply.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	server := http.Server{Addr: address, ReadHeaderTimeout: headerTimeout}
	klog.Fatalf("cannot answer at %s: %v", address, server.ListenAndServe())
}

// controllerFor waits until the node is registered: the controller cannot be made before. It is nil when ctx ends first.
func controllerFor(ctx context.Context, client kubernetes.Interface, config *options.KubeRouterConfig,
	pods, policies, namespaces cache.SharedIndexInformer) *netpol.NetworkPolicyController {
	var ipsets sync.Mutex
	for {
		controller, err := netpol.NewNetworkPolicyController(client, config, pods, policies, namespaces, &ipsets)
		if err == nil {
			return controller
		}
		klog.Infof("waiting for node %s: %v", config.HostnameOverride, err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retryInterval):
		}
	}
}
